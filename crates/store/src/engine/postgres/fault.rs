//! What PostgreSQL's errors mean to the store.

use tokio_postgres::{Error, error::SqlState};

/// A kind of error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum PostgresFault {
    /// A unique constraint.
    Unique,
    /// Two transactions collided: the whole one may be tried again.
    Collision,
    /// The server is not there, is stopping, is read-only, or has no room.
    Unavailable,
    /// Anything else.
    Other,
}

impl PostgresFault {
    /// The kind of `error` (SQLSTATE, PostgreSQL documentation, appendix A).
    pub(crate) fn of(error: &Error) -> Self {
        let Some(state) = error.code() else {
            // Not from the server: the connection is closed, or could not be made or read.
            let lost = error.is_closed()
                || std::error::Error::source(error)
                    .is_some_and(<dyn std::error::Error>::is::<std::io::Error>);
            return if lost { Self::Unavailable } else { Self::Other };
        };
        if *state == SqlState::UNIQUE_VIOLATION {
            return Self::Unique;
        }
        if [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED].contains(state) {
            return Self::Collision;
        }
        // 08: connection exceptions, 53: insufficient resources, 57P: the server stops or starts.
        let class = state.code();
        let gone = class.starts_with("08") || class.starts_with("53") || class.starts_with("57P");
        if gone || *state == SqlState::READ_ONLY_SQL_TRANSACTION { Self::Unavailable } else { Self::Other }
    }
}
