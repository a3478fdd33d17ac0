//! Shapes that only the API document needs: what bodies hold, and how refusals look.

use utoipa::ToSchema;

/// A text for the user, in English.
#[derive(ToSchema)]
pub(crate) struct Detail {
    #[allow(dead_code, reason = "it is there for the API document")]
    detail: String,
}

/// A field map: what is wrong with each field.
#[derive(ToSchema)]
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
    /// A sign-up.
    Registration {
        username: String,
        email: String,
        password1: String,
        password2: String,
        /// An image, in multipart.
        #[schema(value_type = Option<String>, format = Binary)]
        avatar: Option<Vec<u8>>,
    }
    /// `username` with `email`, with `password`, or with both.
    CodeRequest {
        username: String,
        email: Option<String>,
        password: Option<String>,
    }
    /// A sign-in.
    SignIn {
        username: String,
        /// Six digits; a number will do.
        code: String,
        password: String,
    }
    /// A new password, twice.
    PasswordChange {
        new_password1: String,
        new_password2: String,
        /// Checked if it is sent.
        old_password: Option<String>,
    }
    /// The fields to change.
    UserUpdate {
        username: Option<String>,
        email: Option<String>,
        /// A path; in multipart an image. `""` or null clears it.
        avatar: Option<String>,
    }
    /// Who is meant.
    Friend { friend_username: String }
    /// Who is meant.
    Peer { username: String }
    /// A refresh token; without one, a header has to hold it.
    RefreshRequest { refresh: Option<String> }
    /// What came of it.
    FriendAnswer { success: bool, message: String }
    /// What is wrong.
    ErrorText { error: String }
    /// What is wrong.
    MessageText { message: String }
}
