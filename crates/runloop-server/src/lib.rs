//! The embedded platform: the Runloop REST API over real sandboxes
