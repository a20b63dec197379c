//! A handle on one axon.

use runloop_types::{
    AxonCreateParams, AxonEventListView, AxonPublishParams, AxonUpdateParams, AxonView, BrokerMount, Mount,
    PageParams, PublishResultView, SqlBatchParams, SqlBatchResultView, SqlQueryParams, SqlQueryResultView,
};

use crate::axon_stream::AxonEventStream;
use crate::call::Call;
use crate::client::Client;
use crate::error::Error;
use crate::handles::handle;

handle! {
    /// An axon: an ordered stream of events between users, agents and systems, with a database of its own.
    ///
    /// ```no_run
    /// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
    /// use futures::TryStreamExt;
    /// use runloop_client::types::{AxonCreateParams, AxonEventOrigin, AxonPublishParams};
    ///
    /// let axon = client.create_axon(&AxonCreateParams::default()).await?;
    /// let task = AxonPublishParams {
    ///     event_type: "task".into(),
    ///     origin: AxonEventOrigin::UserEvent,
    ///     payload: r#"{"text": "fix the build"}"#.into(),
    ///     source: "chat".into(),
    /// };
    /// let published = axon.publish(&task).await?;
    /// let mut answers = axon.subscribe_sse(Some(published.sequence));
    /// while let Some(event) = answers.try_next().await? {
    ///     println!("{}: {}", event.event_type, event.payload);
    ///     if event.event_type == "turn.completed" {
    ///         break;
    ///     }
    /// }
    /// # Ok(()) }
    /// ```
    Axon(AxonId), axon
}

impl Client {
    /// Creates an axon.
    ///
    /// SDK 1 to 3.
    ///
    /// # Errors
    /// [`Error`] as for any call.
    pub async fn create_axon(&self, params: &AxonCreateParams) -> Result<Axon, Error> {
        Ok(self.axon(self.axons().create(params).send().await?.id))
    }
}

impl Axon {
    /// What it is at present; from SDK 2 on also of a deleted one.
    ///
    /// SDK 1 to 3.
    #[doc(alias = "get_info")]
    pub fn info(&self) -> Call<AxonView> {
        self.client.axons().retrieve(&self.id)
    }

    /// Replaces its labels.
    ///
    /// SDK 1 to 3.
    pub fn update(&self, params: &AxonUpdateParams) -> Call<AxonView> {
        self.client.axons().update(&self.id, params)
    }

    /// Deletes it.
    ///
    /// SDK 1 to 3.
    pub fn delete(&self) -> Call<()> {
        self.client.axons().delete(&self.id)
    }

    /// Publishes an event; its place in the axon is in the answer.
    ///
    /// SDK 1 to 3.
    pub fn publish(&self, params: &AxonPublishParams) -> Call<PublishResultView> {
        self.client.axons().publish(&self.id, params)
    }

    /// Its events: all of them, or those after `after_sequence`, and then each as it is published.
    ///
    /// SDK 1 to 3.
    pub fn subscribe_sse(&self, after_sequence: Option<i64>) -> AxonEventStream {
        self.client.axons().subscribe_sse(self.id.clone(), after_sequence)
    }

    /// One page of its events, newest first.
    ///
    /// SDK 1 to 3.
    pub fn list_events(&self, params: &PageParams) -> Call<AxonEventListView> {
        self.client.axons().events().list(&self.id, params)
    }

    /// Carries out one statement of SQLite in its database.
    ///
    /// ```no_run
    /// # async fn example(axon: runloop_client::Axon) -> Result<(), runloop_client::Error> {
    /// use runloop_client::types::SqlQueryParams;
    ///
    /// let sql = "select name from tasks where state = ?".into();
    /// let answer = axon.query(&SqlQueryParams { sql, params: Some(vec!["open".into()]) }).await?;
    /// println!("{:?}", answer.rows);
    /// # Ok(()) }
    /// ```
    ///
    /// SDK 1 to 3.
    #[doc(alias = "sql")]
    pub fn query(&self, params: &SqlQueryParams) -> Call<SqlQueryResultView> {
        self.client.axons().sql().query(&self.id, params)
    }

    /// Carries out statements in one transaction. A statement that fails is told in the answer, not as an error.
    ///
    /// SDK 1 to 3.
    #[doc(alias = "sql")]
    pub fn batch(&self, params: &SqlBatchParams) -> Call<SqlBatchResultView> {
        self.client.axons().sql().batch(&self.id, params)
    }

    /// This axon as a mount of a new devbox, which ties an agent in it to the axon; the fields that `mount` sets say how.
    pub fn as_mount(&self, mount: BrokerMount) -> Mount {
        Mount::BrokerMount(BrokerMount { axon_id: self.id.clone(), ..mount })
    }
}
