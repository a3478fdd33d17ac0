//! Signing in.

use axum::{Json, extract::State, http::StatusCode};
use domain::identities;
use kit::{base_url::ClientAddress, body::Body, fields::Fields, reply::Reply};

use crate::{Boards, DIALECT, fault, wire};

/// Signs in by a token that an identity provider knows.
#[utoipa::path(
    post, path = "/api/v1/auth/", tag = DIALECT, security(()),
    request_body = wire::SignIn,
    responses(
        (status = 201, description = "The session's tokens.", body = wire::SignedIn),
        (status = 400, description = "No provider knows the token.", body = wire::MessageText),
        (status = 503, description = "A provider could not be asked.", body = wire::MessageText),
    ),
)]
pub(crate) async fn sign_in(
    State(boards): State<Boards>,
    address: ClientAddress,
    Body(body): Body,
) -> Result<(StatusCode, Json<wire::SignedIn>), Reply> {
    let mut fields = Fields::of(&body);
    let token = fields.text("token").read();
    fields.done()?;
    let (app, providers) = (&boards.context.app, &boards.settings.providers);
    let tokens = identities::sign_in(app, providers, &token, DIALECT, address.0).await;
    Ok((StatusCode::CREATED, Json(tokens.map_err(fault::signing_in)?.into())))
}
