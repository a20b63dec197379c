//! Objects.

use std::time::Duration;

use runloop_client::ObjectListParams;
use runloop_client::types::*;
use serde_json::json;

use super::{Row, metadata, page, row};

pub(crate) fn rows() -> Vec<Row> {
    let filters = || ObjectListParams {
        name: Some("a".into()),
        search: Some("b".into()),
        content_type: Some(ObjectContentType::Text),
        state: Some(ObjectState::ReadOnly),
        page: page(),
    };
    vec![
        row!("objects.create", "POST" "/v1/objects", Some(json!({"name": "o", "content_type": "tgz", "metadata": {"team": "a"}, "ttl_ms": 1000})), |c| c.objects().create(&ObjectCreateParams { name: "o".into(), content_type: ObjectContentType::Tgz, metadata: metadata(), ttl_ms: Some(1000) })),
        row!("objects.create", "POST" "/v1/objects", Some(json!({"name": "o", "content_type": "unspecified"})), |c| c.objects().create(&ObjectCreateParams { name: "o".into(), ..Default::default() })),
        row!("objects.retrieve", "GET" "/v1/objects/obj_1", None, |c| c.objects().retrieve("obj_1")),
        row!("objects.list", "GET" "/v1/objects?name=a&search=b&content_type=text&state=READ_ONLY&limit=5&starting_after=x%2F1&include_total_count=false", None, |c| c.objects().list(&filters())),
        row!("objects.list", "GET" "/v1/objects", None, |c| c.objects().list(&ObjectListParams::default())),
        row!("objects.list_public", "GET" "/v1/objects/list_public?name=a&search=b&content_type=text&state=READ_ONLY&limit=5&starting_after=x%2F1&include_total_count=false", None, |c| c.objects().list_public(&filters())),
        row!("objects.list_public", "GET" "/v1/objects/list_public", None, |c| c.objects().list_public(&ObjectListParams::default())),
        row!("objects.complete", "POST" "/v1/objects/obj_1/complete", None, |c| c.objects().complete("obj_1")),
        row!("objects.delete", "POST" "/v1/objects/obj_1/delete", None, |c| c.objects().delete("obj_1")),
        row!("objects.download", "GET" "/v1/objects/obj_1/download?duration_seconds=60", None, |c| c.objects().download_url("obj_1", Some(Duration::from_secs(60)))),
        row!("objects.download", "GET" "/v1/objects/obj_1/download", None, |c| c.objects().download_url("obj_1", None)),
    ]
}
