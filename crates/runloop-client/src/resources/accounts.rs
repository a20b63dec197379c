//! Accounts.

use runloop_types::AccountView;

use crate::call::Call;
use crate::request::Request;
use crate::resources::resource;

resource! {
    /// Endpoints of accounts; from [`Client::accounts`](crate::Client::accounts).
    Accounts
}

impl Accounts {
    /// The account of the key: the cheapest call that shows whether server and key are right.
    ///
    /// SDK 1 to 3.
    pub fn me(&self) -> Call<AccountView> {
        self.client.call(Request::get("/v1/accounts/me", &[]))
    }
}
