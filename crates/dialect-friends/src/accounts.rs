//! Sign-up and the caller's own profile.

use axum::{extract::State, http::StatusCode};
use domain::{
    App,
    accounts::{self, NewAvatar, Registration, Update, names, passwords},
    journal, sessions,
};
use kit::{
    base_url::BaseUrl,
    body::{Body, Content},
    credentials::Auth,
    fields::Fields,
    json::Json,
    reply::Reply,
};
use serde_json::Value;

use crate::{
    DIALECT,
    body::sent,
    fault, schema,
    wire::{Profile, SignedIn},
};

/// Makes an account and signs it in.
#[utoipa::path(
    post, path = "/api/users/signup/", tag = DIALECT, security(()),
    request_body(content((schema::SignUp = "application/json"), (schema::SignUp = "multipart/form-data"))),
    responses(
        (status = 201, description = "Made; the session's tokens.", body = SignedIn),
        (status = 400, description = "All that is wrong, in one text.", body = schema::ErrorText),
    ),
)]
pub(crate) async fn sign_up(
    State(app): State<App>,
    Body(body): Body,
) -> Result<(StatusCode, Json<SignedIn>), Reply> {
    let refused = |reason: &str| {
        let name = sent(&body, "username").and_then(Value::as_str);
        journal::refused("sign-up", DIALECT, name, reason);
    };
    if ["username", "email", "password"].iter().any(|name| sent(&body, name).is_none()) {
        refused("fields missing");
        let text = "Username, email, and password are required.";
        return Err(fault::error(StatusCode::BAD_REQUEST, text));
    }
    let ask = registration(&app, &body).await.inspect_err(|_| refused("broken rules"))?;
    let tokens = sessions::sign_up(&app, ask, DIALECT).await.map_err(fault::signing_up)?;
    Ok((StatusCode::CREATED, Json(tokens.into())))
}

/// What a sign-up asks for; all that is wrong with it, in the order of the fields.
async fn registration(app: &App, body: &Content) -> Result<Registration, Reply> {
    let mut fields = Fields::of(body).empty_is_missing();
    let username = fields.text("username").read();
    if !fields.is_wrong("username")
        && let Some(rule) = accounts::username_problem(app, &username, None).await?
    {
        fields.problem("username", &rule);
    }
    let email = fields.email("email").read();
    let password = fields.text("password").verbatim().read();
    if !fields.is_wrong("password") {
        for text in password_texts(app, &password, &username, &email) {
            fields.error("password", text);
        }
    }
    let first_name = fields.text("first_name").max(names::MAX).may_be_blank().optional();
    let last_name = fields.text("last_name").max(names::MAX).may_be_blank().optional();
    let avatar = fields.optional_file("personal_image").map(|file| file.bytes);
    if let Some(bytes) = &avatar
        && let Some(rule) = accounts::avatar_problem(app, bytes.clone()).await?
    {
        fields.problem("personal_image", &rule);
    }
    fields.done().map_err(|reply| fault::joined(&reply))?;
    Ok(Registration {
        username,
        email,
        first_name: first_name.unwrap_or_default(),
        last_name: last_name.unwrap_or_default(),
        password: Some(password),
        avatar,
        ..Registration::default()
    })
}

/// Whatever is wrong with a password; that it resembles something, only where nothing else is.
fn password_texts(app: &App, password: &str, username: &str, email: &str) -> Vec<String> {
    let mut broken = passwords::check(password, app.settings.password_classes);
    if broken.is_empty() {
        broken.extend(passwords::similar(password, username, email).map(domain::Rule::Similar));
    }
    broken.iter().map(fault::password_text).collect()
}

/// The caller's profile.
#[utoipa::path(
    get, path = "/api/users/profile/", tag = DIALECT,
    responses((status = 200, description = "The profile.", body = Profile)),
)]
pub(crate) async fn profile(
    State(app): State<App>,
    Auth(caller): Auth,
    base: BaseUrl,
) -> Result<Json<Profile>, Reply> {
    let person = accounts::person(&app, caller.account).await?;
    Ok(Json(Profile::of(person, &base)))
}

/// Changes the caller's names or picture.
#[utoipa::path(
    patch, path = "/api/users/profile/", tag = DIALECT,
    request_body(content(
        (schema::ProfileChange = "application/json"), (schema::ProfileChange = "multipart/form-data")
    )),
    responses(
        (status = 200, description = "The profile as it is now.", body = Profile),
        (status = 400, description = "`error`, and what is wrong with each field.", body = schema::ErrorText),
    ),
)]
pub(crate) async fn update(
    State(app): State<App>,
    Auth(caller): Auth,
    base: BaseUrl,
    Body(body): Body,
) -> Result<Json<Profile>, Reply> {
    let ask = change(&body)?;
    accounts::update(&app, &caller, ask).await.map_err(fault::updating_profile)?;
    let person = accounts::person(&app, caller.account).await?;
    Ok(Json(Profile::of(person, &base)))
}

fn change(body: &Content) -> Result<Update, Reply> {
    let mut fields = Fields::of(body);
    let ask = Update {
        first_name: fields.text("first_name").max(names::MAX).may_be_blank().optional(),
        last_name: fields.text("last_name").max(names::MAX).may_be_blank().optional(),
        avatar: new_picture(&mut fields, body),
        ..Update::default()
    };
    fields.done().map_err(fault::bad_profile)?;
    Ok(ask)
}

/// A file, or nothing to show any more.
fn new_picture(fields: &mut Fields<'_>, body: &Content) -> Option<NewAvatar> {
    let is_empty = body.value("personal_image").is_some_and(|value| value.is_null() || value == "");
    if is_empty && body.file("personal_image").is_none() {
        return Some(NewAvatar::Cleared);
    }
    fields.optional_file("personal_image").map(|file| NewAvatar::File(file.bytes))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn changed(body: Value) -> Result<Update, Value> {
        change(&Content::of_json(body)).map_err(|reply| reply.body)
    }

    #[test]
    fn only_what_is_sent_is_changed() {
        let ask = changed(json!({ "first_name": " Ana ", "username": "evil", "email": "x" })).unwrap();
        assert_eq!(
            (ask.first_name.as_deref(), ask.last_name, ask.username, ask.email),
            (Some("Ana"), None, None, None)
        );
        assert!(ask.avatar.is_none());
        assert_eq!(changed(json!({ "last_name": "" })).unwrap().last_name.as_deref(), Some(""));
    }

    #[test]
    fn null_or_nothing_clears_the_picture_and_other_text_is_no_file() {
        for empty in [json!(null), json!("")] {
            let ask = changed(json!({ "personal_image": empty })).unwrap();
            assert!(matches!(ask.avatar, Some(NewAvatar::Cleared)));
        }
        assert_eq!(
            changed(json!({ "personal_image": "me.png", "first_name": ["x"] })).unwrap_err(),
            json!({
                "error": "Invalid data provided.",
                "first_name": ["Not a valid string."],
                "personal_image": ["The submitted data was not a file. Check the encoding type on the form."],
            })
        );
        assert_eq!(
            changed(json!([])).unwrap_err(),
            json!({
                "error": "Invalid data provided.",
                "non_field_errors": ["Invalid data. Expected a dictionary, but got list."],
            })
        );
    }
}
