//! Shapes that only the API document needs: what bodies hold, and how refusals look.

use utoipa::ToSchema;
use uuid::Uuid;

/// A field map: what is wrong with each field.
#[derive(ToSchema)]
pub(crate) struct FieldMap(
    #[allow(dead_code, reason = "it is there for the API document")]
    std::collections::HashMap<String, Vec<String>>,
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
    /// What is wrong.
    ErrorText { error: String }
    /// What is wrong.
    Detail { detail: String }
    /// What came of it.
    MessageText { message: String }
    /// What came of it.
    SuccessText { success: String }
    /// A sign-up.
    SignUp {
        username: String,
        password: String,
        email: String,
        first_name: Option<String>,
        last_name: Option<String>,
        /// An image, in multipart.
        #[schema(value_type = Option<String>, format = Binary)]
        personal_image: Option<Vec<u8>>,
    }
    /// A sign-in.
    SignIn {
        username: String,
        password: String,
        /// The e-mailed code, for accounts that have two-factor on.
        code: Option<String>,
    }
    /// A refresh token.
    Refresh { refresh: String }
    /// The fields to change.
    ProfileChange {
        first_name: Option<String>,
        last_name: Option<String>,
        /// An image, in multipart; `""` or null clears it.
        #[schema(value_type = Option<String>, format = Binary)]
        personal_image: Option<Vec<u8>>,
    }
    /// A request for a friendship.
    FriendshipRequest {
        to_user: Uuid,
        /// The caller's side: `pending`, `accepted` or `rejected`.
        status: String,
    }
    /// What the caller thinks of a friendship.
    FriendshipAnswer {
        friendship_id: Uuid,
        /// The caller's side: `pending`, `accepted` or `rejected`.
        status: String,
    }
    /// A message.
    NewMessage {
        /// The friendship.
        channel: Uuid,
        /// May be missing when there are files.
        content: Option<String>,
        /// The client's own id of it: a repeat within 24 hours is not stored again.
        client_id: Option<String>,
        /// Files, in multipart.
        #[schema(value_type = Option<Vec<String>>, format = Binary)]
        media: Option<Vec<u8>>,
    }
    /// Which message.
    SeenMessage { message_id: Uuid }
}
