//! What the dialects share: bodies, field errors, credentials, absolute URLs, times on the wire, WebSockets, and the
//! services around the routes.

pub mod base_url;
pub mod body;
pub mod context;
pub mod credentials;
pub mod fault;
pub mod fields;
pub mod json;
pub mod listen;
pub mod media_route;
pub mod pages;
pub mod path_id;
pub mod reply;
pub mod service;
pub mod times;
pub mod websocket;
