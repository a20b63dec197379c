//! Pages of a list.

use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use futures::{Stream, TryStreamExt, stream};
use runloop_types::ListItem;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::client::Client;
use crate::cycle::Cycle;
use crate::error::Error;
use crate::options::Options;
use crate::query::Query;
use crate::request::{self, Method, Request};
use crate::response::{RawResponse, Response};

/// Where a list is, and what is asked of it.
#[derive(Clone)]
struct Listing {
    client: Client,
    path: String,
    query: Query,
    options: Options,
}

impl Listing {
    fn request<T: DeserializeOwned>(&self) -> Result<Request<T>, Error> {
        let mut request = Request::encoded(Method::Get, self.path.clone());
        request.parts.query = self.query.clone();
        request.parts.options = self.options.clone();
        Ok(request)
    }

    async fn fetch<T: ListItem + DeserializeOwned>(self) -> Result<Response<Page<T>>, Error> {
        let answer = self.client.transport().respond(self.request::<PageBody<T>>()?).await?;
        Ok(answer.map(|body| Page {
            items: body.items,
            total_count: body.total_count,
            has_more: body.has_more,
            listing: self,
        }))
    }
}

/// A list call: await it for the first page, or take [`ListCall::items`] for everything.
///
/// Options hold for each page that is asked for.
#[must_use = "a call does nothing until it is awaited"]
pub struct ListCall<T> {
    listing: Result<Listing, Error>,
    items: PhantomData<fn() -> T>,
}

impl<T> fmt::Debug for ListCall<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.listing.as_ref().map(|listing| (&listing.path, &listing.query));
        f.debug_tuple("ListCall").field(&shown).finish()
    }
}

impl<T: ListItem + DeserializeOwned + Send + 'static> ListCall<T> {
    /// A list at `path` (without places) with the fields of `params` as its query.
    pub(crate) fn new(client: Client, path: &'static str, params: &impl serde::Serialize) -> Self {
        Self::nested(client, path, &[], params)
    }

    /// A list at `template` with `values` in its places.
    pub(crate) fn nested(
        client: Client,
        template: &str,
        values: &[&str],
        params: &impl serde::Serialize,
    ) -> Self {
        let listing = request::path(template, values).and_then(|path| {
            let mut query = Query::default();
            query.extend(params)?;
            Ok(Listing { client, path, query, options: Options::default() })
        });
        Self { listing, items: PhantomData }
    }

    fn with(mut self, change: impl FnOnce(&mut Listing) -> Result<(), Error>) -> Self {
        self.listing = self.listing.and_then(|mut listing| change(&mut listing).map(|()| listing));
        self
    }

    /// Adds `metadata[key]=value` to the query: only items that carry this label.
    pub fn with_metadata(self, key: &str, value: &str) -> Self {
        self.query_param(&format!("metadata[{key}]"), value)
    }

    /// Adds `metadata[key][in]=a,b` to the query: only items whose label has one of these values.
    pub fn with_metadata_in(self, key: &str, values: &[&str]) -> Self {
        self.query_param(&format!("metadata[{key}][in]"), values.join(","))
    }

    /// Sets a query parameter, in place of one of that name.
    pub fn query_param(self, name: &str, value: impl ToString) -> Self {
        self.with(|listing| {
            listing.query.set(name, value.to_string());
            Ok(())
        })
    }

    /// Sets a header, in place of the client's header of that name. One that cannot be sent is the call's error.
    pub fn header(self, name: &str, value: &str) -> Self {
        self.with(|listing| listing.options.set_header(name, value))
    }

    /// Longest silence before and within the answer, of each attempt.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.with(|listing| {
            listing.options.timeout = Some(timeout);
            Ok(())
        })
    }

    /// Longest time of each page's call, over all its attempts; see [`Call::total_timeout`](crate::Call::total_timeout).
    pub fn total_timeout(self, timeout: Duration) -> Self {
        self.with(|listing| {
            listing.options.total_timeout = Some(timeout);
            Ok(())
        })
    }

    /// Retries after the first attempt.
    pub fn max_retries(self, retries: u32) -> Self {
        self.with(|listing| {
            listing.options.max_retries = Some(retries);
            Ok(())
        })
    }

    /// All items of all pages, one after the other; pages are asked for as needed.
    pub fn items(self) -> impl Stream<Item = Result<T, Error>> + Send + 'static {
        stream::once(self.into_future()).map_ok(Page::into_stream).try_flatten()
    }

    /// Sends it; the first page comes beside the answer it was read from.
    ///
    /// # Errors
    /// [`Error`] as for any call.
    pub async fn with_response(self) -> Result<Response<Page<T>>, Error> {
        self.listing?.fetch().await
    }

    /// Sends it; the answer comes as it is, and may be anything.
    ///
    /// # Errors
    /// [`Error`] as for any call, but for [`Error::Decode`].
    pub async fn send_raw(self) -> Result<RawResponse, Error> {
        let listing = self.listing?;
        listing.client.transport().send_raw(listing.request::<IgnoredAny>()?).await
    }
}

impl<T: ListItem + DeserializeOwned + Send + 'static> IntoFuture for ListCall<T> {
    type Output = Result<Page<T>, Error>;
    type IntoFuture = BoxFuture<'static, Result<Page<T>, Error>>;

    fn into_future(self) -> Self::IntoFuture {
        async move { Ok(self.listing?.fetch().await?.value) }.boxed()
    }
}

/// One page of a list.
#[derive(Clone)]
pub struct Page<T> {
    /// The items, in the server's order.
    pub items: Vec<T>,
    /// How many items all pages hold, if the server counted them.
    pub total_count: Option<u64>,
    has_more: bool,
    listing: Listing,
}

impl<T: fmt::Debug> fmt::Debug for Page<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page")
            .field("items", &self.items)
            .field("total_count", &self.total_count)
            .field("has_more", &self.has_more)
            .finish_non_exhaustive()
    }
}

impl<T: ListItem + DeserializeOwned + Send + 'static> Page<T> {
    /// Whether another page follows.
    pub fn has_next(&self) -> bool {
        self.next_query().is_some()
    }

    /// The page after this one; `None` after the last one.
    ///
    /// # Errors
    /// [`Error`] as for any call.
    pub async fn next_page(&self) -> Result<Option<Self>, Error> {
        match self.next() {
            Some(listing) => Ok(Some(listing.fetch().await?.value)),
            None => Ok(None),
        }
    }

    /// The items of this page and all that follow.
    pub fn into_stream(self) -> impl Stream<Item = Result<T, Error>> + Send + 'static {
        // A server whose pages lead back to an earlier one would never come to an end.
        let cycle = Cycle::default();
        let rest = stream::try_unfold((self.next(), cycle), |(next, mut cycle)| async move {
            let Some(listing) = next else { return Ok(None) };
            if cycle.closes(&listing.query) {
                tracing::warn!(path = listing.path, "the pages of a list go round in a circle: it ends here");
                return Ok(None);
            }
            let page: Page<T> = listing.fetch().await?.value;
            let next = page.next();
            Ok(Some((page.items, (next, cycle))))
        });
        let rest = rest.map_ok(|items| stream::iter(items.into_iter().map(Ok))).try_flatten();
        futures::StreamExt::chain(stream::iter(self.items.into_iter().map(Ok)), rest)
    }

    fn next(&self) -> Option<Listing> {
        self.next_query().map(|query| Listing { query, ..self.listing.clone() })
    }

    /// The query of the next page: the same, starting after the last item.
    fn next_query(&self) -> Option<Query> {
        let cursor = self.items.last().map(ListItem::cursor).filter(|cursor| !cursor.is_empty())?;
        if !self.has_more {
            return None;
        }
        let mut query = self.listing.query.clone();
        query.set("starting_after", cursor.to_owned());
        // The same question would get the same answer for ever.
        (query != self.listing.query).then_some(query)
    }
}

/// A page as it comes: the items stand in a field whose name depends on what they are.
struct PageBody<T> {
    items: Vec<T>,
    has_more: bool,
    total_count: Option<u64>,
}

impl<'de, T: ListItem + Deserialize<'de>> Deserialize<'de> for PageBody<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PageVisitor<T>(PhantomData<T>);

        impl<'de, T: ListItem + Deserialize<'de>> Visitor<'de> for PageVisitor<T> {
            type Value = PageBody<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a page with {}", T::FIELD)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                // Only an explicit `false` ends a list.
                let mut page = PageBody { items: Vec::new(), has_more: true, total_count: None };
                while let Some(key) = map.next_key::<String>()? {
                    if key == T::FIELD {
                        page.items = map.next_value::<Option<Vec<T>>>()?.unwrap_or_default();
                    } else if key == "has_more" {
                        page.has_more = map.next_value::<Option<bool>>()?.unwrap_or(true);
                    } else if key == "total_count" {
                        page.total_count = map.next_value()?;
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(page)
            }
        }

        deserializer.deserialize_map(PageVisitor(PhantomData))
    }
}
