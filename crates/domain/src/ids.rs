//! Identifiers, one type each, and the time.

use std::time::Duration;

use uuid::Uuid;

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        pub struct $name(pub i64);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number_id!(
    /// An account, counted from 1. Never used again after a deletion.
    AccountId
);
number_id!(
    /// A conversation of any kind, counted from 1.
    ConversationId
);
number_id!(
    /// A message. Within a conversation, a later message has a larger one.
    MessageId
);
number_id!(
    /// An access key.
    KeyId
);

number_id!(
    /// A meeting, counted from 1.
    MeetingId
);
number_id!(
    /// A request to take part in a meeting, counted from 1.
    RequestId
);
number_id!(
    /// A photo of a person, counted from 1. Never used again after a deletion.
    PhotoId
);

/// A sign-in session; it stands in the private claim `sid` of the session's tokens.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct SessionId(pub Uuid);

/// The relation of a pair of accounts. A later relation of the same pair is another one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct RelationId(pub Uuid);

/// A widget of a dashboard.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct WidgetId(pub Uuid);

/// A point in time: microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Time(pub i64);

impl Time {
    /// Whole seconds since 1970, rounded down: what JWT claims hold.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// The time `span` later; stops at the end of the representable range.
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }

    /// The time `span` earlier; stops at the start of the representable range.
    pub fn before(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }
}
