//! `boards`: the widgets of a dashboard, over Socket.IO (document 000).
//!
//! [`routes`] and [`namespace`] are the table of contents.

mod auth;
mod fault;
mod fields;
mod listener;
mod live;
mod wire;

use axum::extract::FromRef;
use domain::{App, identities::IdentityProvider};
use kit::context::Context;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The dialect's name, in logs and in sessions.
pub(crate) const DIALECT: &str = "boards";

/// The name of the dialect's namespace.
pub const NAMESPACE: &str = "/widget";

/// What an operator can set about this dialect.
#[derive(Clone)]
pub struct Settings {
    /// Who is shown a sign-in's token, in this order.
    pub providers: Vec<IdentityProvider>,
}

impl Default for Settings {
    /// Access keys, then opaque tokens.
    fn default() -> Self {
        Self { providers: vec![IdentityProvider::AccessKeys, IdentityProvider::OpaqueTokens] }
    }
}

/// What the handlers get.
#[derive(Clone)]
pub(crate) struct Boards {
    context: Context,
    settings: Settings,
}

/// All HTTP routes of the dialect.
pub fn routes(context: &Context, settings: Settings) -> OpenApiRouter {
    let state = Boards { context: context.clone(), settings };
    OpenApiRouter::new().routes(routes!(auth::sign_in)).with_state(state)
}

/// The namespace, to be served under [`NAMESPACE`].
pub fn namespace(context: &Context) -> impl socketio::Namespace {
    live::Boards::new(context)
}

impl FromRef<Boards> for App {
    fn from_ref(boards: &Boards) -> Self {
        boards.context.app.clone()
    }
}
