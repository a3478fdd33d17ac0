//! Signing in with a social network's token.

use axum::{Json, extract::State};
use domain::{
    accounts::names,
    social::{self, MAX_SLUG, MAX_TOKEN, SignIn},
};
use kit::{
    base_url::{BaseUrl, ClientAddress},
    body::Body,
    fields::Fields,
    reply::Reply,
};
use serde_json::{Value, json};

use crate::{DIALECT, Meetups, fault, schema, wire::user_url};

/// Signs in whoever the network says has this token; the account is made at the first time.
#[utoipa::path(
    post, path = "/api-token-auth/", tag = DIALECT, security(()),
    request_body = schema::SocialToken,
    responses(
        (status = 200, description = "The opaque token; the same one while its session lives.",
            body = schema::SocialSession),
        (status = 400, description = "What is wrong.", body = schema::FieldMap),
        (status = 401, description = "The token is not theirs.", body = schema::Detail),
        (status = 503, description = "The network cannot be asked.", body = schema::Detail),
    ),
)]
pub(crate) async fn sign_in(
    State(meetups): State<Meetups>,
    address: ClientAddress,
    base: BaseUrl,
    Body(body): Body,
) -> Result<Json<Value>, Reply> {
    let mut fields = Fields::of(&body).empty_is_missing();
    let slug = fields.text("social_slug").max(MAX_SLUG).read();
    let external_id = fields.integer("external_id").read();
    if external_id < 0 {
        fields.error("external_id", "Ensure this value is greater than or equal to 1.");
    }
    let token = fields.text("token").max(MAX_TOKEN).read();
    let first_name = fields.text("first_name").max(names::MAX).read();
    fields.done()?;
    if external_id == 0 {
        return Err(fault::non_field(
            "Must include \"social_slug\", \"external_id\", \"first_name\" and \"token\".",
        ));
    }
    let ask = SignIn {
        slug: &slug,
        external_id,
        token: &token,
        first_name: &first_name,
        dialect: DIALECT,
        address: address.0,
    };
    let provider = meetups.settings.social.get(&slug);
    let signed = social::sign_in(&meetups.context.app, provider, ask).await;
    let (account, token) = signed.map_err(fault::signing_in)?;
    Ok(Json(json!({ "token": token, "href": user_url(&base, account) })))
}
