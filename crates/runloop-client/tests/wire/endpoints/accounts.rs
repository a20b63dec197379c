//! Accounts.

use super::{Row, row};

pub(crate) fn rows() -> Vec<Row> {
    vec![row!("accounts.me", "GET" "/v1/accounts/me", None, |c| c.accounts().me())]
}
