use domain::{
    AccountId, ConversationId, MessageId, Posted, RelationId, Time,
    accounts::{Avatar, Role},
    messages::{MediaFile, Message, Receipt},
    relations::{self, Relation, Status},
    sessions::Refreshed,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;

fn base() -> BaseUrl {
    BaseUrl("http://chat.example".into())
}

fn person(id: i64, name: &str) -> Person {
    Person {
        id: AccountId(id),
        uuid: Uuid::from_u128(u128::try_from(id).unwrap()),
        username: name.into(),
        email: format!("{name}@example.com"),
        first_name: "First".into(),
        last_name: String::new(),
        role: Role::Student,
        two_factor: false,
        avatar: Avatar::default(),
    }
}

pub(crate) fn friendship() -> relations::Friendship {
    let relation = Relation {
        id: RelationId(Uuid::from_u128(77)),
        from: AccountId(1),
        to: AccountId(2),
        status_from: Status::Accepted,
        status_to: Status::Pending,
        answered_from: true,
        answered_to: false,
        created_at: Time(0),
    };
    relations::Friendship { relation, from: person(1, "ana"), to: person(2, "ben") }
}

pub(crate) fn posted() -> Posted {
    let file = MediaFile {
        uuid: Uuid::from_u128(5),
        key: "0a.png".into(),
        label: "../me.png".into(),
        size: 3,
        uploaded_at: Time(0),
    };
    let message = Message {
        id: MessageId(9),
        uuid: Uuid::from_u128(9),
        conversation: ConversationId(3),
        position: 1,
        author: AccountId(1),
        author_uuid: Uuid::from_u128(1),
        author_name: "ana".into(),
        text: "hi".into(),
        image: String::new(),
        created_at: Time(0),
        media: vec![file],
        receipt: Some(Receipt {
            receiver: AccountId(2),
            receiver_uuid: Uuid::from_u128(2),
            received_at: None,
            seen_at: None,
        }),
    };
    Posted {
        message,
        author: person(1, "ana"),
        direct_pair: vec![AccountId(1), AccountId(2)],
        room_members: Vec::new(),
        relation: Some(RelationId(Uuid::from_u128(77))),
        client_id: None,
    }
}

fn emails(friendship: &relations::Friendship, viewer: i64) -> [String; 2] {
    let shown = serde_json::to_value(Friendship::of(friendship, AccountId(viewer), &base())).unwrap();
    ["from_user", "to_user"].map(|side| shown[side]["email"].as_str().unwrap().to_owned())
}

#[test]
fn a_stranger_learns_no_address_by_asking() {
    let mut friendship = friendship();
    assert_eq!(emails(&friendship, 1), ["ana@example.com", ""]);
    assert_eq!(emails(&friendship, 2), ["ana@example.com", "ben@example.com"]);
    // As after messenger's add_friend: the other side stands as accepted, and has not said so.
    friendship.relation.status_to = Status::Accepted;
    assert_eq!(emails(&friendship, 1), ["ana@example.com", ""]);
    friendship.relation.answered_to = true;
    assert_eq!(emails(&friendship, 1), ["ana@example.com", "ben@example.com"]);
    friendship.relation.status_to = Status::Rejected;
    assert_eq!(emails(&friendship, 1), ["ana@example.com", ""]);
}

#[test]
fn a_friendship_is_as_documented() {
    let mut friendship = friendship();
    friendship.from.avatar.photo = Some("avatars/a.png".into());
    let frame = FriendshipFrame::of(&friendship, AccountId(2), &base());
    assert_eq!(
        serde_json::to_value(frame).unwrap(),
        json!({
            "type": "frienship_message",
            "friendship": {
                "id": "00000000-0000-0000-0000-00000000004d",
                "from_user": {
                    "id": "00000000-0000-0000-0000-000000000001",
                    "personal_image": "http://chat.example/media/avatars/a.png",
                    "username": "ana", "first_name": "First", "last_name": "", "email": "ana@example.com",
                },
                "to_user": {
                    "id": "00000000-0000-0000-0000-000000000002",
                    "personal_image": null,
                    "username": "ben", "first_name": "First", "last_name": "", "email": "ben@example.com",
                },
                "date_created": "1970-01-01T00:00:00.000000Z",
                "status_from_user": "accepted",
                "status_to_user": "pending",
            },
        })
    );
}

#[test]
fn a_message_and_its_receipts_are_as_documented() {
    let mut posted = posted();
    posted.client_id = Some("c1".into());
    let mut shown = serde_json::to_value(MessageFrame::of(&posted, &base())).unwrap();
    let expected = json!({
        "type": "friendship_message",
        "message": {
            "id": posted.message.receipt_id().to_string(),
            "message": {
                "id": "00000000-0000-0000-0000-000000000009",
                "sender": "00000000-0000-0000-0000-000000000001",
                "created_at": "1970-01-01T00:00:00.000000Z",
                "content": "hi",
                "media": [{
                    "id": "00000000-0000-0000-0000-000000000005",
                    "file": "http://chat.example/media/0a.png",
                    "uploaded_at": "1970-01-01T00:00:00.000000Z",
                }],
                "friendship": "00000000-0000-0000-0000-00000000004d",
            },
            "is_received": false,
            "is_seen": false,
            "receiver": "00000000-0000-0000-0000-000000000002",
            "updated_at": "1970-01-01T00:00:00.000000Z",
        },
        "client_id": "c1",
    });
    assert_eq!(shown, expected);
    let receipt = posted.message.receipt.as_mut().unwrap();
    (receipt.received_at, receipt.seen_at) = (Some(Time(1)), Some(Time(2)));
    let seen = serde_json::to_value(ReceiptFrame::of(&posted, &base())).unwrap();
    shown["type"] = "chat_friendship_notification".into();
    shown["message"]["is_received"] = true.into();
    shown["message"]["is_seen"] = true.into();
    shown["message"]["updated_at"] = "1970-01-01T00:00:00.000002Z".into();
    shown.as_object_mut().unwrap().remove("client_id");
    assert_eq!(seen, shown);
}

#[test]
fn what_is_no_message_of_friends_is_not_shown() {
    let mut posted = posted();
    posted.relation = None;
    assert!(MessageFrame::of(&posted, &base()).is_none());
    assert!(ReceiptFrame::of(&posted, &base()).is_none());
    posted.relation = Some(RelationId(Uuid::nil()));
    posted.message.receipt = None;
    assert!(MessageFrame::of(&posted, &base()).is_none());
}

#[test]
fn without_rotation_there_is_no_refresh_key() {
    let new = Refreshed { access: "a".into(), refresh: None };
    let shown: Value = serde_json::to_value(NewTokens::from(new)).unwrap();
    assert_eq!(shown, json!({ "access": "a" }));
}
