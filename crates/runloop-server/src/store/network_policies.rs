//! Network policies.

use runloop_types::NetworkPolicyView;
use rusqlite::params;
use rusqlite::types::Value;

use super::list::{Conditions, MaybePage, get, list};
use super::{Store, StoreError, to_json};
use crate::pagination::PageRequest;

const TABLE: &str = "network_policies";

impl Store {
    /// Writes a new policy.
    pub(crate) async fn insert_policy(&self, view: NetworkPolicyView) -> Result<(), StoreError> {
        self.call(move |connection| {
            connection.execute(
                "INSERT INTO network_policies (id, view) VALUES (?, ?)",
                params![view.id.as_str(), to_json(TABLE, &view)?],
            )?;
            Ok(())
        })
        .await
    }

    /// The policy with this id.
    pub(crate) async fn policy(&self, id: &str) -> Result<Option<NetworkPolicyView>, StoreError> {
        let id = id.to_owned();
        self.call(move |connection| get(connection, TABLE, &id)).await
    }

    /// Changes a policy; answers it as it is afterwards.
    pub(crate) async fn change_policy(
        &self,
        id: &str,
        change: impl FnOnce(&mut NetworkPolicyView) + Send + 'static,
    ) -> Result<Option<NetworkPolicyView>, StoreError> {
        let id = id.to_owned();
        self.call(move |connection| {
            let Some(mut view) = get::<NetworkPolicyView>(connection, TABLE, &id)? else { return Ok(None) };
            change(&mut view);
            connection.execute(
                "UPDATE network_policies SET view = ?2 WHERE id = ?1",
                params![id, to_json(TABLE, &view)?],
            )?;
            Ok(Some(view))
        })
        .await
    }

    /// Deletes a policy; false if there was none.
    pub(crate) async fn delete_policy(&self, id: &str) -> Result<bool, StoreError> {
        let id = id.to_owned();
        self.call(move |connection| {
            Ok(connection.execute("DELETE FROM network_policies WHERE id = ?", [id])? > 0)
        })
        .await
    }

    /// A page of policies; `name` is part of the name, `search` the id or part of the name.
    pub(crate) async fn policies(
        &self,
        id: Option<String>,
        name: Option<String>,
        search: Option<String>,
        request: PageRequest,
    ) -> Result<MaybePage<NetworkPolicyView>, StoreError> {
        self.call(move |connection| {
            let mut conditions = Conditions::default();
            if let Some(id) = id {
                conditions.add("id = ?", id);
            }
            if let Some(name) = name {
                conditions.add("instr(lower(view ->> '$.name'), lower(?)) > 0", name);
            }
            if let Some(search) = search {
                conditions.add_all(
                    "(id = ? OR instr(lower(view ->> '$.name'), lower(?)) > 0)",
                    [Value::from(search.clone()), Value::from(search)],
                );
            }
            list(connection, TABLE, conditions, &request)
        })
        .await
    }
}
