//! SQL on the database of an axon.

use serde::{Deserialize, Serialize};

use serde_json::Value;

/// A statement.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SqlStatementParams {
    /// SQL with a `?` for each parameter.
    pub sql: String,
    /// The parameters, in order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub params: Option<Vec<Value>>,
}

/// A query: a statement alone.
pub type SqlQueryParams = SqlStatementParams;

/// Statements that are carried out together or not at all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SqlBatchParams {
    /// The statements, in order.
    pub statements: Vec<SqlStatementParams>,
}

/// What a statement answered.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SqlQueryResultView {
    /// The columns.
    pub columns: Vec<SqlColumnMetaView>,
    /// The rows: untyped in the API; an array with a value for each column as far as known.
    pub rows: Vec<Value>,
    /// What it did.
    pub meta: SqlResultMetaView,
}

/// A column of an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SqlColumnMetaView {
    /// Its name.
    pub name: String,
    /// Its declared type.
    #[serde(rename = "type")]
    pub kind: String,
}

/// What a statement did.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SqlResultMetaView {
    /// Rows that were changed.
    pub changes: i64,
    /// Milliseconds it took.
    pub duration_ms: f64,
    /// Whether rows are missing because there were too many.
    pub rows_read_limit_reached: bool,
}

/// What a batch answered.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SqlBatchResultView {
    /// An answer for each statement, in order.
    pub results: Vec<SqlStepResultView>,
}

/// What a statement of a batch answered: one of the two.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SqlStepResultView {
    /// Its answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success: Option<SqlQueryResultView>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<SqlStepErrorView>,
}

/// Why a statement failed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SqlStepErrorView {
    /// In words.
    pub message: String,
}
