//! A scenario run: start it, work in its devbox, score it, end it (SDK major 1).
//!
//! ```text
//! $ cargo run -p runloop-client --example scenario_run
//! scr_… works in dbx_…
//! the agent ends with exit status 0
//! tests: 1, 3 passed
//! style: 0.5, two long lines
//! score 0.75
//! the run is completed
//! ```

use std::time::Duration;

use runloop_client::types::ScenarioStartRunParams;
use runloop_client::{Client, Error, PollingConfig, ScenarioRun, WaitOptions};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::from_env(|name| std::env::var(name).ok())?;
    // The scenario to run; `scenario_builder` shows how one is made.
    let scenario = client.scenario(std::env::var("SCENARIO_ID").unwrap_or_else(|_| "scn_1".into()));
    let run = scenario.start_run(&ScenarioStartRunParams::default()).await?;
    println!("{} works in {}", run.id(), run.devbox_id());

    if let Err(error) = work_and_score(&run).await {
        // Both ways to end a run end its devbox, too.
        run.cancel().await?;
        return Err(error.into());
    }
    println!("the run is {}", run.complete().await?.state);
    Ok(())
}

async fn work_and_score(run: &ScenarioRun) -> Result<(), Error> {
    run.await_env_ready(WaitOptions::within(Duration::from_secs(600))).await?;
    let result = run.devbox().exec("my-agent --task task.md").await?;
    println!("the agent ends with exit status {}", result.exit_status.unwrap_or(-1));

    // Takes as long as the scorers do.
    let polling = PollingConfig::within(Duration::from_secs(1800), Duration::from_millis(200));
    let scored = run.score_and_await(polling).await?.scoring_contract_result.unwrap_or_default();
    for result in scored.scoring_function_results {
        println!("{}: {}, {}", result.scoring_function_name, result.score, result.output);
    }
    println!("score {}", scored.score);
    Ok(())
}
