//! The values that statements take and give: the few types that both databases share.

use domain::{
    AccountId, ConversationId, KeyId, MeetingId, MessageId, PhotoId, RelationId, RequestId, SessionId, Time,
    WidgetId,
};
use uuid::Uuid;

/// One value of a statement.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Val {
    /// `NULL`, of any type.
    Null,
    /// `BIGINT`.
    Int(i64),
    /// `BOOLEAN`; 0 and 1 on SQLite.
    Bool(bool),
    /// `DOUBLE PRECISION`.
    Float(f64),
    /// `TEXT`, without NUL.
    Text(String),
    /// `BYTEA`.
    Bytes(Vec<u8>),
    /// `UUID`; 16 bytes on SQLite.
    Uuid(Uuid),
    /// Numbers, for `IN LIST($1)` and `UNNEST`.
    Ints(Vec<i64>),
    /// Texts, for `IN LIST($1)` and `UNNEST`.
    Texts(Vec<String>),
    /// UUIDs, for `IN UUIDS($1)` and `UNNEST`.
    Uuids(Vec<Uuid>),
}

/// The values of a statement, in the order of its placeholders.
macro_rules! vals {
    ($($value:expr),* $(,)?) => { &[$($crate::engine::Val::from($value)),*] };
}
pub(crate) use vals;

/// PostgreSQL keeps no NUL in a text, so neither database is given one: what holds it matches nothing, and what were
/// to be kept with it is kept with U+FFFD in its place. (The dialects refuse NUL before it comes here.)
pub(crate) fn without_nul(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

impl From<i64> for Val {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<i32> for Val {
    fn from(value: i32) -> Self {
        Self::Int(value.into())
    }
}

impl From<usize> for Val {
    fn from(value: usize) -> Self {
        Self::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<bool> for Val {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<f64> for Val {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<&str> for Val {
    fn from(value: &str) -> Self {
        Self::Text(without_nul(value.to_owned()))
    }
}

impl From<&String> for Val {
    fn from(value: &String) -> Self {
        Self::from(value.as_str())
    }
}

impl From<String> for Val {
    fn from(value: String) -> Self {
        Self::Text(without_nul(value))
    }
}

impl<const N: usize> From<[u8; N]> for Val {
    fn from(value: [u8; N]) -> Self {
        Self::Bytes(value.to_vec())
    }
}

impl From<Uuid> for Val {
    fn from(value: Uuid) -> Self {
        Self::Uuid(value)
    }
}

impl From<SessionId> for Val {
    fn from(value: SessionId) -> Self {
        Self::Uuid(value.0)
    }
}

impl From<WidgetId> for Val {
    fn from(value: WidgetId) -> Self {
        Self::Uuid(value.0)
    }
}

impl From<RelationId> for Val {
    fn from(value: RelationId) -> Self {
        Self::Uuid(value.0)
    }
}

macro_rules! from_numbers {
    ($($id:ident),*) => { $(
        impl From<$id> for Val {
            fn from(value: $id) -> Self {
                Self::Int(value.0)
            }
        }
    )* };
}
from_numbers!(AccountId, ConversationId, MessageId, KeyId, MeetingId, RequestId, PhotoId, Time);

impl<T: Into<Val>> From<Option<T>> for Val {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl From<&[AccountId]> for Val {
    fn from(ids: &[AccountId]) -> Self {
        Self::Ints(ids.iter().map(|id| id.0).collect())
    }
}

impl From<&[MessageId]> for Val {
    fn from(ids: &[MessageId]) -> Self {
        Self::Ints(ids.iter().map(|id| id.0).collect())
    }
}

impl From<&[SessionId]> for Val {
    fn from(ids: &[SessionId]) -> Self {
        Self::Uuids(ids.iter().map(|id| id.0).collect())
    }
}

impl From<Vec<i64>> for Val {
    fn from(values: Vec<i64>) -> Self {
        Self::Ints(values)
    }
}

impl From<Vec<Uuid>> for Val {
    fn from(values: Vec<Uuid>) -> Self {
        Self::Uuids(values)
    }
}

impl From<Vec<String>> for Val {
    fn from(values: Vec<String>) -> Self {
        Self::Texts(values.into_iter().map(without_nul).collect())
    }
}
