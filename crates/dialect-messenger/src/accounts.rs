//! Registration and the change of a password.

use axum::{extract::State, http::StatusCode};
use domain::{
    App,
    accounts::{self, Registration, passwords},
};
use kit::{
    body::Body,
    credentials::Auth,
    fields::{Fields, NON_FIELD_ERRORS},
    json::Json,
    reply::Reply,
};
use serde_json::{Value, json};

use crate::{DIALECT, fault, schema};

/// Makes an account, whose sign-ins need an e-mailed code.
#[utoipa::path(
    post, path = "/auth/registration/", tag = DIALECT, security(()),
    request_body(content((schema::Registration = "application/json"), (schema::Registration = "multipart/form-data"))),
    responses(
        (status = 201, description = "Made.", body = schema::Detail),
        (status = 400, description = "What is wrong.", body = schema::FieldMap),
    ),
)]
pub(crate) async fn register(
    State(app): State<App>,
    Body(body): Body,
) -> Result<(StatusCode, Json<Value>), Reply> {
    let mut fields = Fields::of(&body);
    let username = fields.text("username").read();
    if !fields.is_wrong("username")
        && let Some(rule) = accounts::username_problem(&app, &username, None).await?
    {
        fields.problem("username", &rule);
    }
    let email = fields.email("email").read();
    let password = new_password(&mut fields, "password1", app.settings.password_classes);
    let repeated = fields.text("password2").verbatim().read();
    let avatar = fields.optional_file("avatar").map(|file| file.bytes);
    if let Some(bytes) = &avatar
        && fields.are_good()
        && let Some(rule) = accounts::avatar_problem(&app, bytes.clone()).await?
    {
        fields.problem("avatar", &rule);
    }
    fields.done()?;
    if password != repeated {
        fields.error(NON_FIELD_ERRORS, "The two password fields didn't match.");
    }
    fields.done()?;
    let ask = Registration {
        username,
        email,
        password: Some(password),
        two_factor: true,
        avatar,
        ..Registration::default()
    };
    accounts::register(&app, ask, DIALECT).await.map_err(fault::registering)?;
    Ok((StatusCode::CREATED, Json(json!({ "detail": "User registered successfully. Please log in." }))))
}

/// Reads a password and notes every rule that it breaks by itself.
fn new_password(fields: &mut Fields<'_>, name: &str, classes: bool) -> String {
    let password = fields.text(name).verbatim().read();
    if !fields.is_wrong(name) {
        for rule in passwords::check(&password, classes) {
            fields.problem(name, &rule);
        }
    }
    password
}

/// Gives the account a new password; its other sessions end.
#[utoipa::path(
    post, path = "/auth/password/change/", tag = DIALECT,
    request_body = schema::PasswordChange,
    responses(
        (status = 200, description = "Changed.", body = schema::Detail),
        (status = 400, description = "What is wrong.", body = schema::FieldMap),
    ),
)]
pub(crate) async fn change_password(
    State(app): State<App>,
    Auth(caller): Auth,
    Body(body): Body,
) -> Result<Json<Value>, Reply> {
    let mut fields = Fields::of(&body);
    let new = fields.text("new_password1").verbatim().read();
    let repeated = fields.text("new_password2").verbatim().read();
    let mut fields = fields.empty_is_missing();
    let old = fields.text("old_password").verbatim().optional();
    fields.done()?;
    if new != repeated {
        fields.error("new_password2", "The two password fields didn’t match.");
    }
    fields.done()?;
    accounts::change_password(&app, &caller, old, new).await.map_err(fault::changing_password)?;
    Ok(Json(json!({ "detail": "New password has been saved." })))
}
