//! Code that an agent may leave to bring a search down. This program is its own search helper.

use std::process::ExitCode;
use std::time::Duration;

use eval_scoring::{Expect, FunctionOutcome, FunctionScore, FunctionSpec, LocalWorkspace, score};
use libtest_mimic::{Arguments, Failed, Trial};
use runloop_types::Scorer;

type Test = (&'static str, fn(&LocalWorkspace));

fn main() -> ExitCode {
    eval_scoring::init();
    let tests: [Test; 4] = [
        ("helpers_find_what_is_there", helpers_find_what_is_there),
        ("code_that_takes_all_memory_is_not_searched", code_that_takes_all_memory_is_not_searched),
        ("the_search_goes_on_after_a_file_that_kills_it", the_search_goes_on_after_a_file_that_kills_it),
        ("too_many_deadly_files_end_the_search", too_many_deadly_files_end_the_search),
    ];
    let trial = |(name, test): Test| {
        Trial::test(name, move || {
            let workspace = LocalWorkspace::new().map_err(|error| Failed::from(error.to_string()))?;
            test(&workspace);
            Ok(())
        })
    };
    libtest_mimic::run(&Arguments::from_args(), tests.map(trial).into_iter().collect()).exit_code()
}

/// A Java file of 64 KiB for which the parser asks for more memory than there is.
fn deadly() -> String {
    "a<".repeat(32 * 1024)
}

fn search(workspace: &LocalWorkspace, expect: Expect) -> FunctionScore {
    let spec = FunctionSpec {
        name: "search".to_owned(),
        weight: 1.0,
        scorer: Scorer::AstGrepScorer {
            pattern: "System.exit($$$)".to_owned(),
            search_directory: String::new(),
            lang: Some("java".to_owned()),
        },
        expect,
        pass_rate: None,
        custom_script: None,
        timeout: Duration::from_secs(120),
        fails_after: None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let scored = runtime.block_on(score(&[spec], workspace)).expect("the workspace holds");
    scored.functions.into_iter().next().expect("one function, one result")
}

fn write(workspace: &LocalWorkspace, name: &str, content: &str) {
    std::fs::write(workspace.path().join(name), content).expect("written");
}

const EXITS: &str = "class A {\n  void b() { System.exit(1); }\n}\n";

fn helpers_find_what_is_there(workspace: &LocalWorkspace) {
    for number in 0..30 {
        write(workspace, &format!("Plain{number}.java"), "class P { }\n");
    }
    write(workspace, "A.java", EXITS);
    let found = search(workspace, Expect::Present);
    assert_eq!(found.outcome, FunctionOutcome::Complete { score: 1.0 });
    assert_eq!(found.output, "1 match in 31 files below `.`\nA.java:2: `System.exit(1)`\n");
}

fn code_that_takes_all_memory_is_not_searched(workspace: &LocalWorkspace) {
    write(workspace, "Hostile.java", &deadly());
    let result = search(workspace, Expect::Absent);
    assert_eq!(result.outcome, FunctionOutcome::Complete { score: 0.0 });
    assert!(result.output.contains("not searched: Hostile.java: "), "{}", result.output);
}

fn the_search_goes_on_after_a_file_that_kills_it(workspace: &LocalWorkspace) {
    write(workspace, "0.java", &deadly());
    write(workspace, "A.java", EXITS);
    let result = search(workspace, Expect::Present);
    assert_eq!(result.outcome, FunctionOutcome::Complete { score: 1.0 });
    assert!(result.output.contains("A.java:2"), "{}", result.output);
}

fn too_many_deadly_files_end_the_search(workspace: &LocalWorkspace) {
    for number in 0..5 {
        write(workspace, &format!("{number}.java"), &deadly());
    }
    let result = search(workspace, Expect::Absent);
    assert_eq!(result.outcome, FunctionOutcome::Complete { score: 0.0 });
    assert_eq!(result.output.matches("other files killed the search").count(), 2, "{}", result.output);
}
