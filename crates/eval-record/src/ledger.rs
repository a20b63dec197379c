//! What a run may have alive at its target: a fold over events.

use std::collections::HashMap;

use crate::{EventKind, ResourceEnd, ResourceRequest};

/// Something that was asked for and is not known to be gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// What was asked.
    pub request: ResourceRequest,
    /// Its id; `None` while, or if, the answer is missing: it may live all the same.
    pub id: Option<String>,
    /// Whether it was left alive on purpose.
    pub is_kept: bool,
}

/// The resources of a run that may live, by the keys of their requests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    entries: HashMap<String, (u64, Resource)>,
    requested: u64,
}

impl Ledger {
    /// Takes the next event.
    pub fn take(&mut self, event: &EventKind) {
        match event {
            EventKind::ResourceRequested(request) => {
                self.requested += 1;
                let resource = Resource { request: request.clone(), id: None, is_kept: false };
                self.entries.insert(request.key.clone(), (self.requested, resource));
            }
            EventKind::ResourceCreated { key, id } => {
                if let Some((_, resource)) = self.entries.get_mut(key) {
                    resource.id = Some(id.clone());
                }
            }
            EventKind::ResourceEnded { key, how: ResourceEnd::Kept } => {
                if let Some((_, resource)) = self.entries.get_mut(key) {
                    resource.is_kept = true;
                }
            }
            EventKind::ResourceEnded { key, .. } => drop(self.entries.remove(key)),
            _ => {}
        }
    }

    /// The one that was asked for under this key, unless it is gone.
    pub fn get(&self, key: &str) -> Option<&Resource> {
        self.entries.get(key).map(|(_, resource)| resource)
    }

    /// Everything that may live, in the order in which it was asked for.
    pub fn resources(&self) -> Vec<&Resource> {
        let mut all: Vec<_> = self.entries.values().collect();
        all.sort_by_key(|(number, _)| *number);
        all.into_iter().map(|(_, resource)| resource).collect()
    }

    /// What may live and should not, in the order in which it was asked for.
    pub fn leaked(&self) -> Vec<&Resource> {
        self.resources().into_iter().filter(|resource| !resource.is_kept).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ResourceKind;

    fn requested(key: &str, resource: ResourceKind) -> EventKind {
        let purpose = "agent".to_owned();
        EventKind::ResourceRequested(ResourceRequest {
            key: key.to_owned(),
            resource,
            purpose,
            trial: None,
            attempt: None,
        })
    }

    fn ended(key: &str, how: ResourceEnd) -> EventKind {
        EventKind::ResourceEnded { key: key.to_owned(), how }
    }

    #[test]
    fn what_was_asked_for_may_live_until_it_is_known_to_be_gone() {
        let mut ledger = Ledger::default();
        for (key, kind) in [
            ("a", ResourceKind::Devbox),
            ("b", ResourceKind::Snapshot),
            ("c", ResourceKind::Object),
            ("d", ResourceKind::Blueprint),
        ] {
            ledger.take(&requested(key, kind));
        }
        ledger.take(&EventKind::ResourceCreated { key: "a".into(), id: "dbx_1".into() });
        ledger.take(&EventKind::ResourceCreated { key: "d".into(), id: "bpt_1".into() });
        ledger.take(&ended("c", ResourceEnd::Refused));
        ledger.take(&ended("d", ResourceEnd::Kept));
        let seen: Vec<_> = ledger
            .resources()
            .into_iter()
            .map(|one| (one.request.key.as_str(), one.id.as_deref(), one.is_kept))
            .collect();
        assert_eq!(seen, [("a", Some("dbx_1"), false), ("b", None, false), ("d", Some("bpt_1"), true)]);
        assert_eq!(ledger.leaked().len(), 2);
        ledger.take(&ended("a", ResourceEnd::Ended));
        ledger.take(&ended("d", ResourceEnd::Ended));
        assert_eq!(ledger.resources().len(), 1, "what was kept can be ended later");
    }

    #[test]
    fn an_end_or_an_id_of_something_unknown_changes_nothing() {
        let mut ledger = Ledger::default();
        ledger.take(&EventKind::ResourceCreated { key: "x".into(), id: "dbx_1".into() });
        ledger.take(&ended("x", ResourceEnd::Ended));
        assert_eq!(ledger, Ledger::default());
    }
}
