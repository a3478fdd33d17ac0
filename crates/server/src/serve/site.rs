//! All routes, and the services around them.

use std::sync::Arc;

use anyhow::{Result, bail};
use axum::Extension;
use domain::ports::OAuthProvider;
use kit::{
    base_url::Edge,
    body, media_route,
    service::{self, Origins, Whole},
};
use outside::fortytwo;
use socketio::{SocketIo, Stop};
use utoipa_axum::router::OpenApiRouter;

use super::{Node, boards, social};
use crate::{
    settings::{FortyTwo, Limits, Network, Settings},
    web,
};

/// The whole server, ready to be listened for, and the means to close its Socket.IO connections.
pub(super) fn service(node: &Node, settings: &Settings) -> Result<(Whole, Stop)> {
    let messenger = dialect_messenger::Settings {
        fortytwo: provider(&settings.fortytwo)?,
        home_url: settings.fortytwo.fortytwo_home_url.as_ref().map(ToString::to_string),
    };
    let friends = dialect_friends::Settings { refresh_needs_access: settings.sessions.refresh_needs_access };
    let meetups = dialect_meetups::Settings { social: social::providers(&settings.meetups)? };
    let context = &node.context;
    let routes = OpenApiRouter::new()
        .merge(dialect_messenger::routes(context, messenger))
        .merge(dialect_friends::routes(context, friends))
        .merge(dialect_meetups::routes(context, meetups))
        .merge(dialect_boards::routes(context, boards::settings(&settings.boards)?))
        .merge(dialect_tutoring::routes(context, dialect_tutoring::Settings::default()))
        .merge(media_route::routes(Arc::clone(&context.app.blobs), media::default_avatar()))
        .merge(web::health::routes(context.app.clone()));
    let (socket_io, stop) = SocketIo::of(context)
        .namespace("/", dialect_tutoring::namespace(context))
        .namespace(dialect_boards::NAMESPACE, dialect_boards::namespace(context))
        .routes();
    let routes = web::with_document(routes)?
        .merge(socket_io)
        .layer(Extension(Arc::new(edge(&settings.network))))
        .layer(Extension(body_limits(&settings.limits)));
    let mut around =
        service::Settings { origins: origins(&settings.network), ..service::Settings::default() };
    around.verbatim.extend(web::VERBATIM.map(str::to_owned));
    Ok((service::wrap(routes, &around), stop))
}

fn edge(network: &Network) -> Edge {
    Edge { public_url: network.public_url.as_deref().map(Arc::from), trusted: network.trusted_proxy.clone() }
}

fn origins(network: &Network) -> Origins {
    if network.cors_origin.iter().any(|origin| origin == "*") {
        Origins::Any
    } else {
        Origins::Listed(network.cors_origin.clone())
    }
}

fn body_limits(limits: &Limits) -> body::Limits {
    body::Limits { text_bytes: limits.max_body, upload_bytes: limits.max_upload, ..body::Limits::default() }
}

/// 42, when both id and secret are set.
fn provider(settings: &FortyTwo) -> Result<Option<Arc<dyn OAuthProvider>>> {
    let (client_id, client_secret) = match (&settings.fortytwo_client_id, &settings.fortytwo_client_secret) {
        (Some(id), Some(secret)) => (id.clone(), secret.clone()),
        (None, None) => return Ok(None),
        (Some(_), None) => bail!("--fortytwo-client-id is set, and --fortytwo-client-secret is not"),
        (None, Some(_)) => bail!("--fortytwo-client-secret is set, and --fortytwo-client-id is not"),
    };
    let fortytwo = fortytwo::FortyTwo::new(fortytwo::Settings {
        client_id,
        client_secret,
        authorize_url: settings.fortytwo_authorize_url.clone(),
        token_url: settings.fortytwo_token_url.clone(),
        api_url: settings.fortytwo_api_url.clone(),
        patience: fortytwo::Settings::PATIENCE,
    })?;
    Ok(Some(Arc::new(fortytwo)))
}
