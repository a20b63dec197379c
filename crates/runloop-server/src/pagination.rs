//! Pages: newest first, a cursor that is the id of the last item seen.

use runloop_types::ListItem;
use serde_json::{Map, Value};

use crate::error::{ApiError, ApiResult, shown};
use crate::query::Query;

const DEFAULT_LIMIT: u32 = 20;
const MAX_LIMIT: u32 = 5000;

/// Which part of a list is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PageRequest {
    /// Items wanted, at least one.
    pub(crate) limit: usize,
    /// Id of the last item seen.
    pub(crate) starting_after: Option<String>,
    /// Whether all items shall be counted.
    pub(crate) count: bool,
}

impl PageRequest {
    /// Reads `limit`, `starting_after` and `include_total_count`.
    pub(crate) fn read(query: &Query) -> ApiResult<Self> {
        let limit = match query.get("limit") {
            None => DEFAULT_LIMIT,
            Some(text) => match text.parse::<i64>() {
                Ok(limit @ 1..) => u32::try_from(limit).unwrap_or(MAX_LIMIT).min(MAX_LIMIT),
                _ => {
                    return Err(ApiError::bad_request(format!(
                        "`limit` is `{}`: give a whole number from 1 to {MAX_LIMIT}",
                        shown(text)
                    )));
                }
            },
        };
        Ok(Self {
            limit: limit as usize,
            starting_after: query.get("starting_after").map(str::to_owned),
            count: query.bool("include_total_count")?.unwrap_or(true),
        })
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) has_more: bool,
    pub(crate) total_count: Option<usize>,
}

impl<T> Page<T> {
    /// A page of nothing.
    pub(crate) fn empty() -> Self {
        Self { items: Vec::new(), has_more: false, total_count: Some(0) }
    }
}

impl<T: ListItem + serde::Serialize> Page<T> {
    /// The page as the API writes it: the items under the name of their kind.
    pub(crate) fn into_json(self) -> ApiResult<Value> {
        let items = serde_json::to_value(&self.items)
            .map_err(|error| ApiError::internal("the page could not be written", &error))?;
        let mut json = Map::new();
        json.insert(T::FIELD.to_owned(), items);
        json.insert("has_more".to_owned(), self.has_more.into());
        if let Some(total) = self.total_count {
            json.insert("total_count".to_owned(), total.into());
        }
        Ok(Value::Object(json))
    }
}

/// Cuts a page out of items that are in order, newest first.
///
/// `cursor_known` says whether the cursor names an item at all: it may be one that the filter leaves out.
pub(crate) fn page<T>(
    request: &PageRequest,
    newest_first: impl Iterator<Item = T>,
    id: impl Fn(&T) -> &str,
    cursor_known: bool,
) -> ApiResult<Page<T>> {
    if let Some(cursor) = &request.starting_after
        && !cursor_known
    {
        return Err(unknown_cursor(cursor));
    }
    let mut total = 0;
    let mut items = Vec::new();
    let mut has_more = false;
    for item in newest_first {
        total += 1;
        // Ids are in order of creation, so what is older than the cursor has a smaller id.
        let wanted = request.starting_after.as_deref().is_none_or(|cursor| id(&item) < cursor);
        if wanted && items.len() < request.limit {
            items.push(item);
        } else if wanted {
            has_more = true;
            if !request.count {
                break;
            }
        }
    }
    Ok(Page { items, has_more, total_count: request.count.then_some(total) })
}

/// The answer to a cursor that names nothing.
pub(crate) fn unknown_cursor(cursor: &str) -> ApiError {
    ApiError::bad_request(format!(
        "`starting_after` is `{}`, which is no item of this list: give the id of the last item you have",
        shown(cursor)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(query: &str) -> ApiResult<PageRequest> {
        PageRequest::read(&Query::parse(query))
    }

    fn ids() -> Vec<&'static str> {
        vec!["e", "d", "c", "b", "a"]
    }

    fn cut(query: &str) -> Page<&'static str> {
        page(&request(query).unwrap(), ids().into_iter(), |id| id, true).unwrap()
    }

    #[test]
    fn a_list_is_read_to_its_end_page_by_page() {
        let first = cut("limit=2");
        assert_eq!((first.items, first.has_more, first.total_count), (vec!["e", "d"], true, Some(5)));
        let second = cut("limit=2&starting_after=d");
        assert_eq!((second.items, second.has_more), (vec!["c", "b"], true));
        let third = cut("limit=2&starting_after=b&include_total_count=false");
        assert_eq!((third.items, third.has_more, third.total_count), (vec!["a"], false, None));
    }

    #[test]
    fn a_page_that_ends_exactly_at_the_end_has_no_more() {
        assert!(!cut("limit=5").has_more);
        assert!(cut("limit=4").has_more);
    }

    #[test]
    fn limits_are_defaulted_clamped_and_refused() {
        assert_eq!(request("").unwrap().limit, 20);
        assert_eq!(request("limit=99999999999").unwrap().limit, 5000);
        for bad in ["limit=0", "limit=-1", "limit=x", "include_total_count=maybe"] {
            assert_eq!(request(bad).unwrap_err().status(), 400, "{bad}");
        }
    }

    #[test]
    fn an_unknown_cursor_is_refused() {
        let error =
            page(&request("starting_after=zz").unwrap(), ids().into_iter(), |id| id, false).unwrap_err();
        assert_eq!(error.status(), 400);
    }
}
