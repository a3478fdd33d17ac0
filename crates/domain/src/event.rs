//! What has happened. The store publishes each event after the commit that made it true, in commit order.

use std::sync::Arc;

use crate::{
    AccountId, ConversationId, Grant, Posted,
    accounts::Person,
    relations::Friendship,
    rooms::{Room, RoomWithPeople},
    widgets::WidgetChange,
};

/// A thing that has happened, and is stored.
#[derive(Clone, Debug)]
pub enum Event {
    /// A message stands in a conversation.
    MessagePosted(Arc<Posted>),
    /// The receiver of a direct message has received or seen it: heard by its author.
    ReceiptChanged(Posted),
    /// A relation was made or changed.
    RelationChanged(Friendship),
    /// Somebody is no longer in a conversation: their sockets there have to close.
    MemberLeft {
        /// Which conversation.
        conversation: ConversationId,
        /// Who was in it.
        account: AccountId,
    },
    /// A teacher has joined a student's room.
    RoomJoined {
        /// The room as it is now.
        room: Room,
        /// Who has joined.
        teacher: Person,
    },
    /// A room was closed: nobody writes there any more.
    RoomClosed(Room),
    /// One side of a room has seen what the other one wrote.
    RoomSeen {
        /// The room.
        room: Room,
        /// Whose messages are seen now.
        author: AccountId,
    },
    /// A student asks the teachers to come to a room.
    RoomAnnounced(RoomWithPeople),
    /// A widget was made, changed or deleted.
    WidgetChanged(WidgetChange),
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
    Conversation(ConversationId),
    /// All that concerns one account, its direct conversations' messages among it.
    Account(AccountId),
    /// What happens in the rooms of one account.
    RoomsOf(AccountId),
    /// The changes of one account's widgets.
    WidgetsOf(AccountId),
    /// What concerns all teachers.
    Teachers,
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
                for account in &posted.room_members {
                    each(Topic::RoomsOf(*account));
                }
            }
            Self::ReceiptChanged(posted) => each(Topic::Account(posted.message.author)),
            Self::RelationChanged(friendship) => {
                each(Topic::Account(friendship.from.id));
                each(Topic::Account(friendship.to.id));
            }
            Self::MemberLeft { conversation, .. } => each(Topic::Conversation(*conversation)),
            Self::RoomJoined { room, .. } | Self::RoomClosed(room) | Self::RoomSeen { room, .. } => {
                room.members().for_each(|account| each(Topic::RoomsOf(account)));
            }
            Self::RoomAnnounced(_) => each(Topic::Teachers),
            Self::WidgetChanged(change) => each(Topic::WidgetsOf(change.account)),
            Self::GrantEnded { grant, .. } => each(Topic::Grant(*grant)),
        }
    }
}
