//! Events as older versions of this program wrote them.

use runloop_types::DevboxId;
use serde::Deserialize;

use crate::{Event, EventKind, ResourceEnd, ResourceKind, ResourceRequest, TrialKey};

/// A line of format 1 whose kind is gone.
#[derive(Deserialize)]
struct Line {
    at_ms: i64,
    #[serde(flatten)]
    kind: Format1,
}

#[derive(Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Format1 {
    /// Devboxes were recorded when they existed, by their ids.
    DevboxCreated {
        devbox_id: DevboxId,
        purpose: String,
        #[serde(default)]
        trial: Option<TrialKey>,
    },
    DevboxEnded {
        devbox_id: DevboxId,
    },
}

/// What a line that is no event of the present format says in its terms; `None` if it never was an event.
pub(crate) fn translated(line: &[u8]) -> Option<(Event, Option<Event>)> {
    let Line { at_ms, kind } = serde_json::from_slice(line).ok()?;
    let event = |kind| Event { at_ms, kind };
    Some(match kind {
        Format1::DevboxCreated { devbox_id, purpose, trial } => {
            let id = devbox_id.to_string();
            let key = id.clone();
            let resource = ResourceKind::Devbox;
            let request = ResourceRequest { key: key.clone(), resource, purpose, trial, attempt: None };
            let created = EventKind::ResourceCreated { key, id };
            (event(EventKind::ResourceRequested(request)), Some(event(created)))
        }
        Format1::DevboxEnded { devbox_id } => {
            let key = devbox_id.to_string();
            (event(EventKind::ResourceEnded { key, how: ResourceEnd::Ended }), None)
        }
    })
}
