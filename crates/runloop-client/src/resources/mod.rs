//! One handle per resource of the API; each method builds the request of one endpoint.

mod accounts;
mod blueprints;
mod devboxes;
mod disk_snapshots;
mod executions;
mod network_policies;
mod objects;
mod secrets;

pub use accounts::Accounts;
pub use blueprints::{BlueprintListParams, Blueprints};
pub use devboxes::{DevboxListParams, Devboxes};
pub use disk_snapshots::{DiskSnapshotListParams, DiskSnapshots};
pub use executions::Executions;
pub use network_policies::{NetworkPolicies, NetworkPolicyListParams};
pub use objects::{ObjectListParams, ObjectUpload, Objects};
pub use secrets::Secrets;

/// Declares a resource handle: a client by another name.
macro_rules! resource {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Debug, Clone)]
        pub struct $name {
            client: crate::client::Client,
        }

        impl $name {
            pub(crate) fn new(client: crate::client::Client) -> Self {
                Self { client }
            }
        }
    };
}

pub(crate) use resource;
