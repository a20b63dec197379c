//! A scenario with a scorer of each kind (SDK major 1).
//!
//! ```text
//! $ cargo run -p runloop-client --example scenario_builder
//! tests weighs 0.5
//! builds weighs 0.1
//! report weighs 0.1
//! size weighs 0.1
//! no-unwrap weighs 0.1
//! house-style weighs 0.1
//! scn_… fix-the-build is active
//! archived
//! ```

use runloop_client::types::{Metadata, TestFile};
use runloop_client::{Client, Error, ScenarioBuilder};
use serde_json::json;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::from_env(|name| std::env::var(name).ok())?;
    let builder = fix_the_build(&client)?;
    // Nothing was sent so far. Weights are any positive numbers: the builder divides them by their sum.
    for function in builder.preview().scoring_contract.scoring_function_parameters {
        println!("{} weighs {}", function.name, function.weight);
    }
    let scenario = builder.push().await?;
    let view = scenario.info().await?;
    println!("{} {} is {}", view.id, view.name, view.status);
    // Scenarios are not deleted but put away.
    println!("{}", scenario.archive().await?.status);
    Ok(())
}

fn fix_the_build(client: &Client) -> Result<ScenarioBuilder, Error> {
    let test = TestFile {
        file_path: "tests/test_build.py".into(),
        file_contents: "def test_it(): import app; assert app.ok()\n".into(),
    };
    let small = "import os; print(float(os.path.getsize('app.py') < 9000))";
    client
        .scenario_builder("fix-the-build")
        .from_blueprint(&client.blueprint("bpt_1"))
        .with_working_directory("/home/user/app")
        .with_problem_statement("`make` fails. Fix it, and say in report.md what was wrong.")
        .with_additional_context(json!({ "since": "v1.2" }))
        .with_metadata(Metadata::from([("kind".into(), "build".into())]))
        .add_test_command_scorer("tests", "pytest -q", [test], 5.0)?
        .add_shell_command_scorer("builds", "make", 1.0)?
        .add_bash_script_scorer("report", "test -s report.md && echo score=1.0", 1.0)?
        .add_python_script_scorer("size", small, 1.0)?
        .add_ast_grep_scorer("no-unwrap", "\\$X.unwrap()", ".", Some("rust"), 1.0)?
        .add_custom_scorer("house-style", "house_style", Some(json!({ "strict": true })), 1.0)
}
