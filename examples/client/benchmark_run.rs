//! A benchmark run: all scenarios of a benchmark, a few at a time (SDK major 1).
//!
//! ```text
//! $ cargo run -p runloop-client --example benchmark_run
//! bmd_… has 2 scenarios
//! bmr_… is running
//! add-a-flag: 1
//! fix-the-build: 0.5
//! the run is completed with score 0.75
//! 2 scenario runs are completed
//! ```

use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use runloop_client::types::{
    BenchmarkCreateParams, BenchmarkStartRunParams, ScenarioRunState, ScenarioStartRunParams, ScenarioView,
};
use runloop_client::{
    BenchmarkDefinitionsParams, BenchmarkRun, BenchmarkScenarioRunListParams, Client, Error, PollingConfig,
    WaitOptions,
};

/// Scenarios that run at the same time.
const AT_A_TIME: usize = 1;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::from_env(|name| std::env::var(name).ok())?;
    let params = BenchmarkCreateParams { name: "smoke".into(), ..Default::default() };
    let benchmark = client.create_benchmark(&params).await?;
    benchmark.add_scenarios(["scn_1", "scn_2"]).await?;
    let definitions = benchmark.definitions(&BenchmarkDefinitionsParams::default()).items();
    let scenarios: Vec<_> = definitions.try_collect().await?;
    println!("{} has {} scenarios", benchmark.id(), scenarios.len());

    // The run starts none of them by itself.
    let run = benchmark.start_run(&BenchmarkStartRunParams::default()).await?;
    println!("{} is {}", run.id(), run.info().await?.state);
    let trials = scenarios.iter().map(|scenario| trial(&run, scenario));
    let scores: Result<Vec<_>, Error> = futures::stream::iter(trials).buffered(AT_A_TIME).try_collect().await;
    if scores.is_err() {
        // Ends what still runs, with its devboxes.
        run.cancel().await?;
    }
    for (scenario, score) in scenarios.iter().zip(scores?) {
        println!("{}: {score}", scenario.name);
    }
    let ended = run.complete().await?;
    println!("the run is {} with score {}", ended.state, ended.score.unwrap_or(f64::NAN));
    let params =
        BenchmarkScenarioRunListParams { state: Some(ScenarioRunState::Completed), ..Default::default() };
    println!("{} scenario runs are completed", run.list_scenario_runs(&params).await?.items.len());
    Ok(())
}

async fn trial(run: &BenchmarkRun, scenario: &ScenarioView) -> Result<f64, Error> {
    let params = ScenarioStartRunParams { scenario_id: scenario.id.clone(), ..Default::default() };
    let trial = run.start_scenario_run(&params).await?;
    trial.await_env_ready(WaitOptions::within(Duration::from_secs(600))).await?;
    trial.devbox().exec("my-agent --task task.md").await?;
    let polling = PollingConfig::within(Duration::from_secs(1800), Duration::from_millis(200));
    let view = trial.score_and_complete(polling).await?;
    Ok(view.scoring_contract_result.map_or(0.0, |result| result.score))
}
