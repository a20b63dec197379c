//! Pages out of a table.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params_from_iter};
use serde::de::DeserializeOwned;

use super::{StoreError, from_json};
use crate::error::ApiResult;
use crate::pagination::{Page, PageRequest, unknown_cursor};

/// Conditions that must all hold: SQL with one `?`, and its value.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    sql: Vec<String>,
    values: Vec<Value>,
}

impl Conditions {
    /// Adds a condition with one parameter.
    pub(super) fn add(&mut self, sql: impl Into<String>, value: impl Into<Value>) {
        self.sql.push(sql.into());
        self.values.push(value.into());
    }

    /// Adds a condition with any number of parameters.
    pub(super) fn add_all(&mut self, sql: impl Into<String>, values: impl IntoIterator<Item = Value>) {
        self.sql.push(sql.into());
        self.values.extend(values);
    }

    /// Adds a condition without a parameter.
    pub(super) fn fixed(&mut self, sql: &str) {
        self.sql.push(sql.to_owned());
    }
}

/// A page, or the news that its cursor names nothing.
#[derive(Debug)]
pub(crate) enum MaybePage<T> {
    /// The page.
    Page(Page<T>),
    /// `starting_after` is no id of this table.
    UnknownCursor(String),
}

impl<T> MaybePage<T> {
    /// The page, or the answer to an unknown cursor.
    pub(crate) fn or_bad_request(self) -> ApiResult<Page<T>> {
        match self {
            Self::Page(page) => Ok(page),
            Self::UnknownCursor(cursor) => Err(unknown_cursor(&cursor)),
        }
    }
}

/// One page of a table's views, newest first. The table's name is ours, never input.
pub(super) fn list<T: DeserializeOwned>(
    connection: &Connection,
    table: &'static str,
    conditions: Conditions,
    request: &PageRequest,
) -> Result<MaybePage<T>, StoreError> {
    let Conditions { mut sql, mut values } = conditions;
    let all = |sql: &[String]| if sql.is_empty() { "1".to_owned() } else { sql.join(" AND ") };
    let total_count = if request.count {
        let count = format!("SELECT count(*) FROM {table} WHERE {}", all(&sql));
        let total: i64 = connection.query_row(&count, params_from_iter(&values), |row| row.get(0))?;
        Some(usize::try_from(total).unwrap_or(0))
    } else {
        None
    };
    if let Some(cursor) = &request.starting_after {
        let known = format!("SELECT 1 FROM {table} WHERE id = ?");
        if connection.query_row(&known, [cursor], |_| Ok(())).optional()?.is_none() {
            return Ok(MaybePage::UnknownCursor(cursor.clone()));
        }
        sql.push("id < ?".to_owned());
        values.push(cursor.clone().into());
    }
    // One more than wanted tells whether there are more.
    let limit = i64::try_from(request.limit).unwrap_or(i64::MAX).saturating_add(1);
    values.push(limit.into());
    let select = format!("SELECT view FROM {table} WHERE {} ORDER BY id DESC LIMIT ?", all(&sql));
    let mut statement = connection.prepare(&select)?;
    let mut rows = statement.query(params_from_iter(&values))?;
    let mut items = Vec::new();
    let mut has_more = false;
    while let Some(row) = rows.next()? {
        if items.len() == request.limit {
            has_more = true;
            break;
        }
        items.push(from_json(table, row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?)?);
    }
    Ok(MaybePage::Page(Page { items, has_more, total_count }))
}

/// The view with this id.
pub(super) fn get<T: DeserializeOwned>(
    connection: &Connection,
    table: &'static str,
    id: &str,
) -> Result<Option<T>, StoreError> {
    let mut statement = connection.prepare(&format!("SELECT view FROM {table} WHERE id = ?"))?;
    let text: Option<String> = statement.query_row([id], |row| row.get(0)).optional()?;
    text.map(|text| from_json(table, &text)).transpose()
}
