//! Where events go.

use std::sync::Arc;

use crate::Event;

/// What to do once something is in the record. Called from any thread; must return quickly.
pub type Then = Box<dyn FnOnce() + Send>;

/// Takes what happens in a run: a recorder, a display, or both.
///
/// Calls come from many tasks at once and must return quickly. Events of one trial arrive in their order.
pub trait EventSink: Send + Sync {
    /// Something happened.
    fn event(&self, event: &Event);

    /// Something is about to happen: `then` is called once a death of this process cannot lose the event any more. It is
    /// dropped without a call if that cannot be had; see [`EventSink::failure`].
    fn event_then(&self, event: &Event, then: Then) {
        self.event(event);
        then();
    }

    /// A log file of an attempt, `path` relative to the run directory. All of an attempt's files come before the event
    /// that ends it.
    fn file(&self, path: &str, content: Vec<u8>) {
        let _ = (path, content);
    }

    /// Why nothing more can be taken, in a sentence. A run stops then: results that are not kept are worth nothing.
    fn failure(&self) -> Option<String> {
        None
    }
}

impl<S: EventSink + ?Sized> EventSink for Arc<S> {
    fn event(&self, event: &Event) {
        (**self).event(event);
    }

    fn event_then(&self, event: &Event, then: Then) {
        (**self).event_then(event, then);
    }

    fn file(&self, path: &str, content: Vec<u8>) {
        (**self).file(path, content);
    }

    fn failure(&self) -> Option<String> {
        (**self).failure()
    }
}

/// Both, in this order. Files go to the first only, which is the one that keeps.
impl<A: EventSink, B: EventSink> EventSink for (A, B) {
    fn event(&self, event: &Event) {
        self.0.event(event);
        self.1.event(event);
    }

    fn event_then(&self, event: &Event, then: Then) {
        self.0.event_then(event, then);
        self.1.event(event);
    }

    fn file(&self, path: &str, content: Vec<u8>) {
        self.0.file(path, content);
    }

    fn failure(&self) -> Option<String> {
        self.0.failure().or_else(|| self.1.failure())
    }
}
