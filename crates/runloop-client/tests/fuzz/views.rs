//! Views decoded from any JSON: they fail or succeed, and never panic.

use proptest::prelude::*;
use runloop_client::types;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// JSON of all kinds, a few levels deep.
pub(crate) fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
        prop::sample::select(vec!["running", "completed", "UPLOADING", "object_mount", "1", ""])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let key =
            prop::sample::select(vec!["id", "type", "status", "name", "code", "message", "egress", "ä"]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..4).prop_map(|pairs| {
                Value::from(
                    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>(),
                )
            }),
        ]
    })
}

/// Decodes a view from `value`, and from itself with some fields replaced by it. What decodes is encoded again, and
/// then decodes to the same.
fn survive<T: DeserializeOwned + Serialize + Default + PartialEq + std::fmt::Debug>(
    value: &Value,
    pick: usize,
) {
    let check = |value: &Value| {
        if let Ok(view) = serde_json::from_value::<T>(value.clone()) {
            let encoded = serde_json::to_value(&view).expect("a view that was decoded can be encoded");
            let again = serde_json::from_value::<T>(encoded).expect("and decoded again");
            assert_eq!(again, view);
            let _ = format!("{view:?}");
        }
    };
    check(value);
    let Ok(Value::Object(mut own)) = serde_json::to_value(T::default()) else { return };
    // A view has room for what it does not know.
    own.insert("unknown".to_owned(), value.clone());
    serde_json::from_value::<T>(Value::Object(own.clone())).expect("an unknown field does no harm");
    let keys: Vec<String> = own.keys().cloned().collect();
    let key = &keys[pick % keys.len()];
    own.insert(key.clone(), value.clone());
    check(&Value::Object(own.clone()));
    own.remove(key);
    serde_json::from_value::<T>(Value::Object(own)).expect("a field that is not there has a default");
}

macro_rules! survive_all {
    ($value:expr, $pick:expr, $($view:ident),+ $(,)?) => { $(survive::<types::$view>($value, $pick);)+ };
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_json_is_survived_by_every_view(value in any_json(), pick in any::<usize>()) {
        survive_all!(
            &value,
            pick,
            AccountView,
            AgentDevboxCountsView,
            AgentView,
            ApiKeyCreatedView,
            AxonEventListView,
            AxonEventView,
            AxonView,
            BenchmarkJobView,
            BenchmarkRunView,
            BenchmarkView,
            BlueprintBuildLogsListView,
            BlueprintPreviewView,
            BlueprintView,
            BrowserView,
            ComputerView,
            DevboxAsyncExecutionDetailView,
            DevboxEvictionEventView,
            DevboxExecutionDetailView,
            DevboxLogsListView,
            DevboxResourceUsageView,
            DevboxSendStdInResult,
            DevboxSnapshotAsyncStatusView,
            DevboxSnapshotView,
            DevboxTunnelView,
            DevboxView,
            ExecutionUpdateChunk,
            GatewayConfigView,
            GatewayTokenView,
            McpConfigView,
            McpTokenView,
            NetworkPolicyView,
            ObjectDownloadUrlView,
            ObjectView,
            PtyConnectView,
            PtyControlResultView,
            PtyTunnelView,
            PublishResultView,
            RepositoryConnectionView,
            RepositoryInspectionListView,
            RepositoryManifestView,
            RestrictedKeyCreatedView,
            ScenarioRunView,
            ScenarioView,
            ScopeEntryView,
            ScorerView,
            ScoringContractResultView,
            ScoringFunctionResultView,
            SecretView,
            SqlBatchResultView,
            SqlColumnMetaView,
            SqlQueryResultView,
            SqlResultMetaView,
            SqlStepErrorView,
            SqlStepResultView,
            TunnelView,
        );
    }
}

#[test]
fn deep_json_is_refused_and_does_not_fill_the_stack() {
    for depth in [100, 10_000, 1_000_000] {
        let text = format!("{{\"metadata\": {}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(serde_json::from_str::<types::DevboxView>(&text).is_err());
    }
    let view: types::DevboxView =
        serde_json::from_value(json!({"id": "dbx_1", "status": "melting"})).unwrap();
    assert_eq!(view.status.as_str(), "melting");
}
