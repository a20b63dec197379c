//! Pages of a list.

use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;

use futures::future::{BoxFuture, FutureExt};
use futures::{Stream, TryStreamExt, stream};
use runloop_types::ListItem;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::client::Client;
use crate::error::Error;
use crate::query::Query;
use crate::request::Request;

/// A list call: await it for the first page, or take [`ListCall::items`] for everything.
#[must_use = "a call does nothing until it is awaited"]
pub struct ListCall<T> {
    client: Client,
    request: Result<(&'static str, Query), Error>,
    items: PhantomData<fn() -> T>,
}

impl<T> fmt::Debug for ListCall<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ListCall").field(&self.request).finish()
    }
}

impl<T: ListItem + serde::de::DeserializeOwned + Send + 'static> ListCall<T> {
    /// A list at `path` (without places) with the fields of `params` as its query.
    pub(crate) fn new(client: Client, path: &'static str, params: &impl serde::Serialize) -> Self {
        let mut query = Query::default();
        let request = query.extend(params).map(|()| (path, query));
        Self { client, request, items: PhantomData }
    }

    /// Adds `metadata[key]=value` to the query: only items that carry this label.
    pub fn with_metadata(mut self, key: &str, value: &str) -> Self {
        if let Ok((_, query)) = &mut self.request {
            query.set(&format!("metadata[{key}]"), value.to_owned());
        }
        self
    }

    /// All items of all pages, one after the other; pages are asked for as needed.
    pub fn items(self) -> impl Stream<Item = Result<T, Error>> + Send + 'static {
        stream::once(self.into_future()).map_ok(Page::into_stream).try_flatten()
    }
}

impl<T: ListItem + serde::de::DeserializeOwned + Send + 'static> IntoFuture for ListCall<T> {
    type Output = Result<Page<T>, Error>;
    type IntoFuture = BoxFuture<'static, Result<Page<T>, Error>>;

    fn into_future(self) -> Self::IntoFuture {
        async move {
            let (path, query) = self.request?;
            fetch(self.client, path, query).await
        }
        .boxed()
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
    client: Client,
    path: &'static str,
    query: Query,
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

impl<T: ListItem + serde::de::DeserializeOwned + Send + 'static> Page<T> {
    /// Whether another page follows.
    pub fn has_next(&self) -> bool {
        self.next_query().is_some()
    }

    /// The page after this one; `None` after the last one.
    ///
    /// # Errors
    /// [`Error`] as for any call.
    pub async fn next_page(&self) -> Result<Option<Self>, Error> {
        match self.next_query() {
            Some(query) => Ok(Some(fetch(self.client.clone(), self.path, query).await?)),
            None => Ok(None),
        }
    }

    /// The items of this page and all that follow.
    pub fn into_stream(self) -> impl Stream<Item = Result<T, Error>> + Send + 'static {
        let next = self.next_query().map(|query| (self.client, self.path, query));
        let rest = stream::try_unfold(next, |next| async move {
            let Some((client, path, query)) = next else { return Ok(None) };
            let page: Page<T> = fetch(client, path, query).await?;
            let next = page.next_query().map(|query| (page.client, page.path, query));
            Ok(Some((page.items, next)))
        });
        let rest = rest.map_ok(|items| stream::iter(items.into_iter().map(Ok))).try_flatten();
        futures::StreamExt::chain(stream::iter(self.items.into_iter().map(Ok)), rest)
    }

    /// The query of the next page: the same, starting after the last item.
    fn next_query(&self) -> Option<Query> {
        let cursor = self.items.last().map(ListItem::cursor).filter(|cursor| !cursor.is_empty())?;
        if !self.has_more {
            return None;
        }
        let mut query = self.query.clone();
        query.set("starting_after", cursor.to_owned());
        // The same question would get the same answer for ever.
        (query != self.query).then_some(query)
    }
}

async fn fetch<T: ListItem + serde::de::DeserializeOwned>(
    client: Client,
    path: &'static str,
    query: Query,
) -> Result<Page<T>, Error> {
    let mut request = Request::<PageBody<T>>::get(path, &[])?;
    request.parts.query = query.clone();
    let body = client.transport().send(request).await?;
    Ok(Page {
        items: body.items,
        total_count: body.total_count,
        has_more: body.has_more,
        client,
        path,
        query,
    })
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
