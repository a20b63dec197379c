//! Requests that are answered only when something happens.
//!
//! Hundreds of them are open at a time and do nothing, so that what counts is the memory of one that waits: nothing of the
//! request is kept once it is sent, and the machinery that reads an answer is made when the answer begins. Over HTTP/2 what
//! waits is a stream of a shared connection, over HTTP/1.1 a bare socket. A request first finds a [way](Way), which may mean to
//! queue, and only then is sent: how long the server is silent counts from there.
//!
//! This knows neither proxies nor redirects: requests that need them take the usual way.

mod connect;
mod connections;
mod http1;
mod http2;

pub(crate) use connect::Connector;
pub(crate) use connections::{Connections, Way};
