//! Shapes that only the API document needs: what bodies hold, and how refusals look.

use utoipa::ToSchema;

/// A text for the user, in English.
#[derive(ToSchema)]
#[schema(as = TutoringDetail)]
pub(crate) struct Detail {
    #[allow(dead_code, reason = "it is there for the API document")]
    detail: String,
}

/// A field map: what is wrong with each field.
#[derive(ToSchema)]
#[schema(as = TutoringFieldMap)]
pub(crate) struct FieldMap(
    #[allow(dead_code, reason = "as above")] std::collections::HashMap<String, Vec<String>>,
);

macro_rules! document_only {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $kind:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(ToSchema)]
        #[allow(dead_code, reason = "it is there for the API document")]
        pub(crate) struct $name { $($(#[$field_doc])* $field: $kind),* }
    )*};
}

document_only! {
    /// A sign-in.
    TokenRequest {
        username: String,
        password: String,
        /// Six digits, where the account has two-factor on.
        code: Option<String>,
    }
    /// A room to be opened.
    NewRoom {
        /// What is asked.
        text: Option<String>,
        /// An http(s) URL of up to 2,048 characters.
        image: Option<String>,
    }
    /// A picture.
    PictureUpload {
        #[schema(value_type = String, format = Binary)]
        image: Vec<u8>,
    }
    /// The form of the sign-in page.
    LoginForm {
        username: String,
        password: String,
        code: Option<String>,
        /// A local path.
        next: Option<String>,
        csrfmiddlewaretoken: String,
    }
    /// The form of the sign-out page.
    LogoutForm { csrfmiddlewaretoken: String }
}
