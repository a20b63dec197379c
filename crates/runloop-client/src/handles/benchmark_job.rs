//! A handle on one benchmark job.

use runloop_types::{BenchmarkJobCreateParams, BenchmarkJobView};

use crate::call::Call;
use crate::client::Client;
use crate::error::Error;
use crate::handles::handle;
use crate::wait::PollingConfig;

handle! {
    /// A benchmark job: the service runs agents over scenarios by itself (beta). SDK 1 only.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use runloop_client::PollingConfig;
    /// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
    /// use runloop_client::types::{BenchmarkJobCreateParams, BenchmarkJobSpec, HarborJobSpec};
    ///
    /// let spec = HarborJobSpec { inline_yaml: "agents:\n- name: oracle\n".into() };
    /// let params = BenchmarkJobCreateParams { name: None, spec: Some(BenchmarkJobSpec::Harbor(spec)) };
    /// let job = client.create_benchmark_job(&params).await?;
    /// let polling = PollingConfig::within(Duration::from_secs(6 * 3600), Duration::from_secs(30));
    /// for outcome in job.await_completed(polling).await?.benchmark_outcomes.unwrap_or_default() {
    ///     println!("{}: {:?}", outcome.agent_name, outcome.average_score);
    /// }
    /// # Ok(()) }
    /// ```
    BenchmarkJob(BenchmarkJobId), benchmark_job
}

impl Client {
    /// Starts a benchmark job.
    ///
    /// SDK 1 only.
    ///
    /// # Errors
    /// [`Error`] as for any call.
    pub async fn create_benchmark_job(
        &self,
        params: &BenchmarkJobCreateParams,
    ) -> Result<BenchmarkJob, Error> {
        Ok(self.benchmark_job(self.benchmark_jobs().create(params).send().await?.id))
    }
}

impl BenchmarkJob {
    /// What it is at present; outcomes come in as trials end.
    ///
    /// SDK 1 only.
    #[doc(alias = "get_info")]
    pub fn info(&self) -> Call<BenchmarkJobView> {
        self.client.benchmark_jobs().retrieve(&self.id)
    }

    /// Polls until it is completed. Jobs take hours: allow for that.
    ///
    /// SDK 1 only.
    ///
    /// # Errors
    /// [`Error::WrongState`] if it fails, is canceled or takes too long for the service, [`Error::PollingTimeout`] if it
    /// takes longer than `config` allows; the last value of both has the outcomes so far.
    pub async fn await_completed(&self, config: PollingConfig) -> Result<BenchmarkJobView, Error> {
        self.client.benchmark_jobs().await_completed(&self.id, config).await
    }
}
