//! Custom scorers: a script under a name of its own, used by many scenarios (SDK major 1).
//!
//! ```text
//! $ cargo run -p runloop-client --example custom_scorers
//! scs_… scores line_budget
//! now it says: lines=$(wc -l < "$FILE")
//! there are: line_budget
//! scn_… uses line_budget
//! ```

use futures::TryStreamExt;
use runloop_client::types::{Scorer, ScorerParams};
use runloop_client::{Client, ScorerListParams};
use serde_json::json;

/// Reads its parameters from `RL_SCORER_CONTEXT` and prints a score from 0 to 1.
const SCRIPT: &str = r#"lines=$(wc -l < "$FILE")
limit=$(jq -r .limit <<< "$RL_SCORER_CONTEXT")
if [ "$lines" -le "$limit" ]; then echo score=1.0; else echo score=0.0; fi
"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::from_env(|name| std::env::var(name).ok())?;
    let params = ScorerParams { kind: "line_budget".into(), bash_script: "echo score=0.0".into() };
    let scorer = client.create_custom_scorer(&params).await?;
    println!("{} scores {}", scorer.id(), params.kind);
    // A scorer cannot be deleted, but replaced.
    let replaced = scorer.update(&ScorerParams { bash_script: SCRIPT.into(), ..params }).await?;
    println!("now it says: {}", replaced.bash_script.lines().next().unwrap_or_default());
    let all =
        client.scenarios().scorers().list(&ScorerListParams::default()).items().map_ok(|scorer| scorer.kind);
    println!("there are: {}", all.try_collect::<Vec<_>>().await?.join(", "));

    let scenario = client
        .scenario_builder("shorten-it")
        .with_problem_statement("Shorten app.py.")
        .add_custom_scorer("short", replaced.kind, Some(json!({ "limit": 100 })), 1.0)?
        .push()
        .await?;
    for function in scenario.info().await?.scoring_contract.scoring_function_parameters {
        if let Scorer::CustomScorer { custom_scorer_type, .. } = function.scorer {
            println!("{} uses {custom_scorer_type}", scenario.id());
        }
    }
    scenario.archive().await?;
    Ok(())
}
