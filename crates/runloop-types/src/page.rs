//! Pages of a list.

use serde::{Deserialize, Serialize};

/// Query of every paged list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PageParams {
    /// Items a page: default 20, at most 5000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Id of the last item seen; the page starts after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starting_after: Option<String>,
    /// Whether to count all items; the default is true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_total_count: Option<bool>,
}

/// An item of a paged list: knows the field its lists stand in and the cursor that continues after it.
pub trait ListItem {
    /// Name of the array in the list's JSON.
    const FIELD: &'static str;

    /// The cursor value that continues after this item.
    fn cursor(&self) -> &str;
}

macro_rules! list_item {
    ($type:ty, $field:literal) => {
        impl $crate::ListItem for $type {
            const FIELD: &'static str = $field;

            fn cursor(&self) -> &str {
                self.id.as_str()
            }
        }
    };
}

list_item!(crate::DevboxView, "devboxes");
list_item!(crate::DevboxSnapshotView, "snapshots");
list_item!(crate::ObjectView, "objects");
list_item!(crate::BlueprintView, "blueprints");
list_item!(crate::SecretView, "secrets");
list_item!(crate::NetworkPolicyView, "network_policies");
list_item!(crate::AgentView, "agents");
list_item!(crate::AxonView, "axons");
list_item!(crate::BenchmarkView, "benchmarks");
list_item!(crate::BenchmarkRunView, "runs");
list_item!(crate::BenchmarkJobView, "jobs");
list_item!(crate::GatewayConfigView, "gateway_configs");
list_item!(crate::McpConfigView, "mcp_configs");
list_item!(crate::ScenarioView, "scenarios");
list_item!(crate::ScenarioRunView, "runs");
list_item!(crate::ScorerView, "scorers");
list_item!(crate::RepositoryConnectionView, "repositories");
