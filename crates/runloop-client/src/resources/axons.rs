//! Axons, their events and their database.

use runloop_types::{
    AxonCreateParams, AxonEventListView, AxonPublishParams, AxonUpdateParams, AxonView, PageParams,
    PublishResultView, SqlBatchParams, SqlBatchResultView, SqlQueryParams, SqlQueryResultView,
};
use serde::Serialize;

use crate::call::Call;
use crate::page::ListCall;
use crate::request::Request;
use crate::resources::resource;

resource! {
    /// Endpoints of axons: ordered streams of events between users, agents and systems; from [`Client::axons`](crate::Client::axons).
    ///
    /// ```no_run
    /// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
    /// use runloop_client::types::{AxonCreateParams, AxonEventOrigin, AxonPublishParams};
    ///
    /// let axon = client.axons().create(&AxonCreateParams::default()).await?;
    /// let event = AxonPublishParams {
    ///     event_type: "task".into(),
    ///     origin: AxonEventOrigin::UserEvent,
    ///     payload: r#"{"text": "fix the build"}"#.into(),
    ///     source: "chat".into(),
    /// };
    /// let published = client.axons().publish(&axon.id, &event).await?;
    /// println!("event {} of {}", published.sequence, axon.id);
    /// # Ok(()) }
    /// ```
    Axons
}

resource! {
    /// Events of axons; from [`Axons::events`].
    ///
    /// ```no_run
    /// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
    /// use runloop_client::types::PageParams;
    ///
    /// let params = PageParams { limit: Some(10), ..Default::default() };
    /// for event in client.axons().events().list("axn_1", &params).await?.events {
    ///     println!("{} {}: {}", event.sequence, event.event_type, event.payload);
    /// }
    /// # Ok(()) }
    /// ```
    AxonEvents
}

resource! {
    /// The database that each axon has; from [`Axons::sql`].
    ///
    /// ```no_run
    /// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
    /// use runloop_client::types::SqlQueryParams;
    ///
    /// let query = SqlQueryParams {
    ///     sql: "select name from tasks where state = ?".into(),
    ///     params: Some(vec!["open".into()]),
    /// };
    /// let answer = client.axons().sql().query("axn_1", &query).await?;
    /// println!("{} rows in {} ms", answer.rows.len(), answer.meta.duration_ms);
    /// # Ok(()) }
    /// ```
    AxonSql
}

/// Filters of [`Axons::list`]; labels are asked for by [`ListCall::with_metadata`] and [`ListCall::with_metadata_in`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct AxonListParams {
    /// Only the axon with this id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Only axons whose name begins like this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Only axons with this text in their id or name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// Size and place of the page.
    #[serde(flatten)]
    pub page: PageParams,
}

impl Axons {
    /// Events of axons.
    pub fn events(&self) -> AxonEvents {
        AxonEvents::new(self.client.clone())
    }

    /// The database that each axon has.
    pub fn sql(&self) -> AxonSql {
        AxonSql::new(self.client.clone())
    }

    /// Creates an axon.
    ///
    /// SDK 1 to 3.
    pub fn create(&self, params: &AxonCreateParams) -> Call<AxonView> {
        self.client.call(Request::post("/v1/axons", &[]).and_then(|request| request.json(params)))
    }

    /// What an axon is at present; from SDK 2 on also a deleted one.
    ///
    /// SDK 1 to 3.
    pub fn retrieve(&self, id: impl AsRef<str>) -> Call<AxonView> {
        self.client.call(Request::get("/v1/axons/{}", &[id.as_ref()]))
    }

    /// Lists axons, newest first; from SDK 2 on also deleted ones.
    ///
    /// SDK 1 to 3.
    pub fn list(&self, params: &AxonListParams) -> ListCall<AxonView> {
        ListCall::new(self.client.clone(), "/v1/axons", params)
    }

    /// Replaces the labels of an axon; a deleted one cannot be changed.
    ///
    /// SDK 1 to 3.
    pub fn update(&self, id: impl AsRef<str>, params: &AxonUpdateParams) -> Call<AxonView> {
        self.client
            .call(Request::post("/v1/axons/{}", &[id.as_ref()]).and_then(|request| request.json(params)))
    }

    /// Deletes an axon.
    ///
    /// SDK 1 to 3.
    pub fn delete(&self, id: impl AsRef<str>) -> Call<()> {
        self.client.call(Request::<()>::delete("/v1/axons/{}", &[id.as_ref()]).map(Request::empty))
    }

    /// Publishes an event; its place in the axon is in the answer.
    ///
    /// SDK 1 to 3.
    pub fn publish(&self, id: impl AsRef<str>, params: &AxonPublishParams) -> Call<PublishResultView> {
        self.client.call(
            Request::post("/v1/axons/{}/publish", &[id.as_ref()]).and_then(|request| request.json(params)),
        )
    }
}

impl AxonEvents {
    /// One page of an axon's events, newest first. For all events as they come, [`Axons::subscribe_sse`].
    ///
    /// SDK 1 to 3.
    pub fn list(&self, id: impl AsRef<str>, params: &PageParams) -> Call<AxonEventListView> {
        let request = Request::get("/v1/axons/{}/events", &[id.as_ref()]);
        self.client.call(request.and_then(|request| request.query_from(params)))
    }
}

impl AxonSql {
    /// Carries out one statement of SQLite.
    ///
    /// SDK 1 to 3.
    pub fn query(&self, id: impl AsRef<str>, params: &SqlQueryParams) -> Call<SqlQueryResultView> {
        self.client.call(
            Request::post("/v1/axons/{}/sql/query", &[id.as_ref()]).and_then(|request| request.json(params)),
        )
    }

    /// Carries out statements in one transaction. A statement that fails is told in the answer, not as an error.
    ///
    /// SDK 1 to 3.
    pub fn batch(&self, id: impl AsRef<str>, params: &SqlBatchParams) -> Call<SqlBatchResultView> {
        self.client.call(
            Request::post("/v1/axons/{}/sql/batch", &[id.as_ref()]).and_then(|request| request.json(params)),
        )
    }
}
