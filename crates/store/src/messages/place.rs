//! Where the next message of a conversation goes, and whether it may.

use anyhow::anyhow;
use domain::{
    AccountId, Error, MessageId, Noun, Posted, RelationId, Result, Time,
    accounts::Person,
    conversations::Kind,
    messages::{Message, NewMessage, Receipt},
    relations, rooms,
};
use uuid::Uuid;

use crate::{engine::Row, rooms::status};

/// What is to be known of a conversation before a message is added to it.
pub(super) struct Place {
    pub(super) kind: Kind,
    message_count: i64,
    last_at: Time,
    /// The two people of a direct conversation, and their other ids.
    pair: Vec<(AccountId, Uuid)>,
    /// The pair's present relation.
    pub(super) bond: Option<Bond>,
    /// Of a room alone.
    pub(super) room: Option<RoomState>,
}

/// A room, as far as it concerns those who write.
#[derive(Clone, Debug)]
pub(super) struct RoomState {
    status: rooms::Status,
    pub(super) members: Vec<AccountId>,
}

/// A relation, as far as it concerns those who write.
#[derive(Clone, Copy)]
pub(super) struct Bond {
    relation: RelationId,
    is_rejected: bool,
}

/// What storing gives a message.
#[derive(Clone, Copy)]
pub(super) struct Slot {
    pub(super) position: i64,
    pub(super) created_at: Time,
    pub(super) receiver: Option<(AccountId, Uuid)>,
}

/// The columns of a conversation `c`: [`Place::read`] reads them in this order.
macro_rules! place_columns {
    () => {
        "c.kind, c.message_count, c.last_at, \
        c.initiator, (SELECT v.uuid FROM account v WHERE v.id = c.initiator), \
        c.receiver, (SELECT v.uuid FROM account v WHERE v.id = c.receiver)"
    };
}

/// The columns of a relation `r`: [`Bond::read`] reads them in this order.
macro_rules! bond_columns {
    () => {
        "r.uuid, r.status_from, r.status_to"
    };
}

/// The columns of a room `o`: [`RoomState::read`] reads them in this order.
macro_rules! room_state_columns {
    () => {
        "o.status, o.student, o.teacher"
    };
}

pub(super) use {bond_columns, place_columns, room_state_columns};

impl RoomState {
    /// The room of the next columns of the row; `None` where they are NULL.
    pub(super) fn read(row: &mut Row) -> Result<Option<Self>> {
        let word: Option<String> = row.take()?;
        let members: [Option<AccountId>; 2] = [row.take()?, row.take()?];
        let state = |word: String| {
            Ok(Self { status: status(&word)?, members: members.into_iter().flatten().collect() })
        };
        word.map(state).transpose()
    }
}

impl Bond {
    /// The relation of the next columns of the row; `None` where they are NULL.
    pub(super) fn read(row: &mut Row) -> Result<Option<Self>> {
        let relation: Option<RelationId> = row.take()?;
        let statuses: [Option<String>; 2] = [row.take()?, row.take()?];
        let is_rejected =
            statuses.iter().flatten().any(|status| status == relations::Status::Rejected.as_str());
        Ok(relation.map(|relation| Self { relation, is_rejected }))
    }
}

impl Place {
    /// The conversation of the next columns of the row, without what belongs to it.
    pub(super) fn read(row: &mut Row) -> Result<Self> {
        let kind = kind(&row.take::<String>()?)?;
        let (message_count, last_at) = (row.take()?, row.take()?);
        let mut pair = Vec::with_capacity(2);
        for _ in 0..2 {
            let person: (Option<AccountId>, Option<Uuid>) = (row.take()?, row.take()?);
            pair.extend(person.0.zip(person.1).filter(|_| kind == Kind::Direct));
        }
        Ok(Self { kind, message_count, last_at, pair, bond: None, room: None })
    }

    /// Whether a member may write that to it. `NotFound(Conversation)` when it is of another kind, `NotFound(Relation)` when
    /// that is not the present one, `Forbidden(RejectedRelation)`, `Conflict(ClosedRoom)`.
    pub(super) fn check(&self, new: &NewMessage) -> Result<()> {
        let via = new.via;
        if new.kind.is_some_and(|kind| kind != self.kind) {
            return Err(Error::NotFound(Noun::Conversation));
        }
        if self.room.as_ref().is_some_and(|room| room.status == rooms::Status::Closed) {
            return Err(Error::Conflict(Noun::ClosedRoom));
        }
        if via.is_some() && via != self.relation() {
            return Err(Error::NotFound(Noun::Relation));
        }
        if self.bond.is_some_and(|bond| bond.is_rejected) {
            return Err(Error::Forbidden(Noun::RejectedRelation));
        }
        Ok(())
    }

    /// The next position, for this message. Times do not go back along the positions.
    pub(super) fn take_slot(&mut self, new: &NewMessage) -> Slot {
        self.message_count += 1;
        self.last_at = self.last_at.max(new.created_at);
        let receiver = self.pair.iter().copied().find(|(account, _)| *account != new.author);
        Slot { position: self.message_count, created_at: self.last_at, receiver }
    }

    /// What `new` has become in that slot.
    pub(super) fn posted(&self, new: &NewMessage, slot: Slot, id: MessageId, author: Person) -> Posted {
        Posted {
            message: slot.stored(new, id, &author),
            author,
            direct_pair: self.pair.iter().map(|(account, _)| *account).collect(),
            room_members: self.room.as_ref().map_or_else(Vec::new, |room| room.members.clone()),
            relation: self.relation(),
            client_id: new.client_id.clone(),
        }
    }

    fn relation(&self) -> Option<RelationId> {
        self.bond.map(|bond| bond.relation)
    }
}

impl Slot {
    fn stored(self, new: &NewMessage, id: MessageId, author: &Person) -> Message {
        let receipt =
            |(receiver, receiver_uuid)| Receipt { receiver, receiver_uuid, received_at: None, seen_at: None };
        Message {
            id,
            uuid: new.uuid,
            conversation: new.conversation,
            position: self.position,
            author: new.author,
            author_uuid: author.uuid,
            author_name: author.username.clone(),
            text: new.text.clone(),
            image: new.image.clone(),
            created_at: self.created_at,
            media: new.media.clone(),
            receipt: self.receiver.map(receipt),
        }
    }
}

fn kind(word: &str) -> Result<Kind> {
    Ok(Kind::named(word).ok_or_else(|| anyhow!("a conversation is of the kind {word:?}"))?)
}
