//! What can go wrong, without a status and without wording: each dialect has its own.

use std::time::Duration;

/// Why an operation did not happen. When one is returned, nothing was changed.
#[derive(Debug)]
pub enum Error {
    /// The named thing does not exist (or the caller may not know that it does).
    NotFound(Noun),
    /// The named thing exists already, or stands in the way.
    Conflict(Noun),
    /// What was sent breaks rules: each one broken, in the order of the fields.
    Invalid(Vec<Problem>),
    /// The credentials are not good.
    Unauthenticated(Refusal),
    /// The caller may not do this to the named thing.
    Forbidden(Noun),
    /// A limit was hit; trying again makes sense after this time.
    Throttled(Duration),
    /// The named thing cannot be reached, or has no room now.
    Unavailable(Noun),
    /// A fault of ours. It is logged where it is rendered, and never shown.
    Internal(anyhow::Error),
}

/// Short for the results of operations.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What an [`Error`] speaks of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Noun {
    /// An account.
    Account,
    /// The account of the caller, where another one was due.
    Oneself,
    /// An account's name.
    Username,
    /// A password, or the pair of name and password.
    Password,
    /// An access key's label.
    KeyLabel,
    /// An access key.
    AccessKey,
    /// A sign-in session.
    Session,
    /// A relation between two accounts.
    Relation,
    /// A page beyond the last one.
    Page,
    /// A relation that one side has rejected.
    RejectedRelation,
    /// A conversation.
    Conversation,
    /// An account that has no live session.
    DisconnectedAccount,
    /// A student's room.
    Room,
    /// A room that is closed.
    ClosedRoom,
    /// A widget.
    Widget,
    /// The number of widgets that an account may have.
    WidgetLimit,
    /// A message.
    Message,
    /// A file.
    File,
    /// A photo of a person.
    Photo,
    /// A meeting.
    Meeting,
    /// One more meeting on a day that has as many as an account may make.
    DailyMeeting,
    /// A meeting of the caller's own, where another's was due.
    OwnMeeting,
    /// A request to take part in a meeting.
    Request,
    /// The `state` of an OAuth sign-in.
    OAuthState,
    /// An identity provider.
    Provider,
    /// The database.
    Store,
    /// The pool of threads that hash passwords.
    HashingPool,
}

/// Why credentials were refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// Unknown, damaged, revoked, or of an account that is gone.
    Invalid,
    /// Authentic, but its time is over.
    Expired,
    /// A refresh token where an access token is due, or the reverse.
    WrongType,
    /// The password is right; the e-mailed code is missing or wrong.
    CodeRequired,
}

/// One rule that a value breaks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// The value's name.
    pub field: Field,
    /// The rule.
    pub rule: Rule,
}

/// The values that the core's rules speak of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Field {
    /// An account's name.
    Username,
    /// An e-mail address.
    Email,
    /// A first name.
    FirstName,
    /// A last name.
    LastName,
    /// A new password.
    Password,
    /// The present password, asked again.
    OldPassword,
    /// A picture of a person.
    Avatar,
    /// The text of a message.
    Text,
    /// A file sent with a message.
    Attachment,
    /// A client's own id of a message.
    ClientId,
    /// The address of a picture, sent with a message or a room.
    Image,
}

/// The rules. Lengths are counted in Unicode characters, sizes in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rule {
    /// Another account has it.
    Taken,
    /// It holds characters that are not allowed.
    Charset,
    /// It is no e-mail address.
    Email,
    /// It is no `http` or `https` URL.
    Url,
    /// It is empty or blank.
    Blank,
    /// It holds more than this many characters.
    TooLong(usize),
    /// It holds fewer than this many characters.
    TooShort(usize),
    /// There are more than this many.
    TooMany(usize),
    /// It holds more than this many bytes.
    TooLarge(usize),
    /// It is among the most common passwords.
    Common,
    /// It is digits alone.
    Numeric,
    /// It lacks upper case, lower case, digits or special characters.
    Classes,
    /// It resembles the value of this field.
    Similar(Field),
    /// It is not what the account has.
    Wrong,
    /// It is not an image, or a damaged or oversized one.
    NotAnImage,
    /// It is no plain relative path.
    UnsafePath,
}

impl From<anyhow::Error> for Error {
    fn from(fault: anyhow::Error) -> Self {
        Self::Internal(fault)
    }
}

impl Problem {
    /// `field` breaks `rule`.
    pub fn new(field: Field, rule: Rule) -> Self {
        Self { field, rule }
    }
}
