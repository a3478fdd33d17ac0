//! Rows, read column by column from the left.

use std::{any::type_name, fmt::Display, str::FromStr};

use anyhow::anyhow;
use domain::{
    AccountId, ConversationId, KeyId, MeetingId, MessageId, PhotoId, RelationId, RequestId, Result,
    SessionId, Time, WidgetId,
};
use uuid::Uuid;

use super::{Val, sqlite};

/// One row of an answer.
#[derive(Debug)]
pub(crate) struct Row {
    columns: Vec<Val>,
    /// How many columns were read.
    read: usize,
}

impl Row {
    /// The row of these columns.
    pub(crate) fn new(columns: Vec<Val>) -> Self {
        Self { columns, read: 0 }
    }

    /// The next column. A column that is missing or of another type is a fault of the statement: `Internal`.
    pub(crate) fn take<T: FromVal>(&mut self) -> Result<T> {
        T::from_val(std::mem::replace(self.next()?, Val::Null))
    }

    fn next(&mut self) -> Result<&mut Val> {
        let column = self.columns.get_mut(self.read);
        self.read += 1;
        Ok(column.ok_or_else(|| anyhow!("a row has fewer columns than were read"))?)
    }
}

/// One row of an answer while its statement is there.
pub(crate) enum Shown<'a> {
    /// A row that was kept.
    Kept(&'a mut Row),
    /// A row of SQLite's, and how many of its columns were read. The others cost nothing.
    Sqlite(&'a rusqlite::Row<'a>, usize),
}

impl Shown<'_> {
    /// As [`Row::take`].
    pub(crate) fn take<T: FromVal>(&mut self) -> Result<T> {
        match self {
            Self::Kept(row) => row.take(),
            Self::Sqlite(row, read) => {
                *read += 1;
                T::from_val(sqlite::column(row, *read - 1)?)
            }
        }
    }

    /// What the text of the next column means; `None` where it is NULL. `Internal` when it means nothing, as above.
    pub(crate) fn parsed<T: FromStr<Err: Display>>(&mut self) -> Result<Option<T>> {
        let text = match self {
            Self::Kept(row) => match row.next()? {
                Val::Null => None,
                Val::Text(text) => Some(text.as_str()),
                other => return Err(mismatch::<T>(other)),
            },
            Self::Sqlite(row, read) => {
                *read += 1;
                sqlite::text(row, *read - 1)?
            }
        };
        let parse = |text: &str| {
            text.parse().map_err(|fault| {
                anyhow!("a column holds {text:?}, where {} was due: {fault}", type_name::<T>())
            })
        };
        Ok(text.map(parse).transpose()?)
    }
}

/// What a column can be read as.
pub(crate) trait FromVal: Sized {
    /// Reads the value, or says that it is of another type.
    fn from_val(value: Val) -> Result<Self>;
}

fn mismatch<T>(value: &Val) -> domain::Error {
    anyhow!("a column holds {value:?}, where {} was due", type_name::<T>()).into()
}

impl FromVal for i64 {
    fn from_val(value: Val) -> Result<Self> {
        match value {
            Val::Int(number) => Ok(number),
            other => Err(mismatch::<Self>(&other)),
        }
    }
}

impl FromVal for i32 {
    fn from_val(value: Val) -> Result<Self> {
        let number = i64::from_val(value)?;
        Self::try_from(number).map_err(|_| mismatch::<Self>(&Val::Int(number)))
    }
}

impl FromVal for bool {
    fn from_val(value: Val) -> Result<Self> {
        match value {
            Val::Bool(truth) => Ok(truth),
            Val::Int(number) => Ok(number != 0),
            other => Err(mismatch::<Self>(&other)),
        }
    }
}

impl FromVal for f64 {
    fn from_val(value: Val) -> Result<Self> {
        match value {
            Val::Float(number) => Ok(number),
            other => Err(mismatch::<Self>(&other)),
        }
    }
}

impl FromVal for String {
    fn from_val(value: Val) -> Result<Self> {
        match value {
            Val::Text(text) => Ok(text),
            other => Err(mismatch::<Self>(&other)),
        }
    }
}

impl FromVal for Vec<u8> {
    fn from_val(value: Val) -> Result<Self> {
        match value {
            Val::Bytes(bytes) => Ok(bytes),
            Val::Uuid(uuid) => Ok(uuid.into_bytes().to_vec()),
            other => Err(mismatch::<Self>(&other)),
        }
    }
}

impl<const N: usize> FromVal for [u8; N] {
    fn from_val(value: Val) -> Result<Self> {
        Vec::from_val(value)?.try_into().map_err(|bytes| mismatch::<Self>(&Val::Bytes(bytes)))
    }
}

impl FromVal for Uuid {
    fn from_val(value: Val) -> Result<Self> {
        match value {
            Val::Uuid(uuid) => Ok(uuid),
            other => <[u8; 16]>::from_val(other).map(Uuid::from_bytes),
        }
    }
}

impl FromVal for SessionId {
    fn from_val(value: Val) -> Result<Self> {
        Uuid::from_val(value).map(Self)
    }
}

impl FromVal for WidgetId {
    fn from_val(value: Val) -> Result<Self> {
        Uuid::from_val(value).map(Self)
    }
}

impl FromVal for RelationId {
    fn from_val(value: Val) -> Result<Self> {
        Uuid::from_val(value).map(Self)
    }
}

macro_rules! from_numbers {
    ($($id:ident),*) => { $(
        impl FromVal for $id {
            fn from_val(value: Val) -> Result<Self> {
                i64::from_val(value).map(Self)
            }
        }
    )* };
}
from_numbers!(AccountId, ConversationId, MessageId, KeyId, MeetingId, RequestId, PhotoId, Time);

impl<T: FromVal> FromVal for Option<T> {
    fn from_val(value: Val) -> Result<Self> {
        match value {
            Val::Null => Ok(None),
            some => T::from_val(some).map(Some),
        }
    }
}
