//! Shapes that only the API document needs: what bodies hold, and how refusals look.

use utoipa::ToSchema;

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
        #[allow(dead_code, clippy::struct_field_names, reason = "it is there for the API document")]
        pub(crate) struct $name { $($(#[$field_doc])* $field: $kind),* }
    )*};
}

document_only! {
    /// A text for the user, in English.
    Detail { detail: String }
    /// The outcome of what was asked: HTTP's status is 200 all the same.
    Envelope {
        /// As HTTP's statuses.
        status: i64,
        msg: String,
        /// What belongs to it, or null.
        #[schema(value_type = Option<Object>)]
        data: Option<String>,
    }
    /// A sign-in with a social network's token.
    SocialToken {
        /// The network: `vk`.
        social_slug: String,
        /// The network's own id of the person.
        external_id: i64,
        /// The network's token.
        token: String,
        /// For an account that is made now.
        first_name: String,
    }
    /// What a sign-in gives.
    SocialSession {
        /// The opaque token.
        token: String,
        /// The user's URL.
        href: String,
    }
    /// The fields to change.
    UserChange {
        /// A free name, not unique.
        username: Option<String>,
        first_name: Option<String>,
        about: Option<String>,
        /// 0 female, 1 male, or null.
        gender: Option<i64>,
        /// `YYYY-MM-DD`, or null.
        birth_date: Option<String>,
        client_key: Option<String>,
    }
    /// The client's key for notifications.
    ClientKey { client_key: String }
    /// A meeting to be made.
    NewMeeting {
        title: String,
        coordinates: Place,
        description: Option<String>,
        /// 0 pair (if not given), 1 group.
        group_type: Option<i64>,
        /// 0 general (if not given), 1 sport, 2 bar, 3 dance.
        category: Option<i64>,
        /// `YYYY-MM-DD`; today if not given.
        meeting_date: Option<String>,
    }
    /// The fields to change.
    MeetingChange {
        title: Option<String>,
        description: Option<String>,
        coordinates: Option<Place>,
        meeting_date: Option<String>,
    }
    /// A place, in degrees.
    Place { lat: f64, lng: f64 }
    /// The flags to change.
    Answer {
        is_approved: Option<bool>,
        is_rejected: Option<bool>,
        is_read: Option<bool>,
    }
}
