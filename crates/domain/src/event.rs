//! What has happened. The store publishes each event after the commit that made it true, in commit order.

use crate::{AccountId, Grant, Posted, relations::Friendship};

/// A thing that has happened, and is stored.
#[derive(Clone, Debug)]
pub enum Event {
    /// A message stands in a conversation.
    MessagePosted(Posted),
    /// The receiver of a direct message has received or seen it: heard by its author.
    ReceiptChanged(Posted),
    /// A relation was made or changed.
    RelationChanged(Friendship),
    /// A session has ended, or an access key was revoked: its sockets have to close.
    GrantEnded {
        /// Which one.
        grant: Grant,
        /// Whose it was.
        account: AccountId,
    },
}

/// What one can listen to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Topic {
    /// All that happens in one conversation.
    Conversation(crate::ConversationId),
    /// All that concerns one account, its direct conversations' messages among it.
    Account(AccountId),
    /// The end of a session or access key.
    Grant(Grant),
}

impl Event {
    /// Calls `each` with every topic under which this event is heard.
    pub fn topics(&self, mut each: impl FnMut(Topic)) {
        match self {
            Self::MessagePosted(posted) => {
                each(Topic::Conversation(posted.message.conversation));
                for account in &posted.direct_pair {
                    each(Topic::Account(*account));
                }
            }
            Self::ReceiptChanged(posted) => each(Topic::Account(posted.message.author)),
            Self::RelationChanged(friendship) => {
                each(Topic::Account(friendship.from.id));
                each(Topic::Account(friendship.to.id));
            }
            Self::GrantEnded { grant, .. } => each(Topic::Grant(*grant)),
        }
    }
}
