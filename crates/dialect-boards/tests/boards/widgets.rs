//! The four events.

use serde_json::{Value, json};

use crate::{
    client::Socket,
    world::{BURST, LIMIT, World},
};

pub(crate) fn note() -> Value {
    json!({ "widget_tag": "note", "widget_x": 9, "widget_y": 8, "widget_size_x": 9, "widget_size_y": 8 })
}

/// The note with these fields changed or added.
pub(crate) fn with(changes: &Value) -> Value {
    let mut widget = note();
    for (name, value) in changes.as_object().unwrap() {
        widget[name] = value.clone();
    }
    widget
}

fn bad(message: &str) -> String {
    format!(r#"{{"data":{{"message":"{message}"}},"code":400,"request_id":""}}"#)
}

const NOT_FOUND: &str = r#"{"data":{"message":"Widget not found"},"code":404,"request_id":""}"#;

/// Posts a widget; its id, and how it is written.
async fn post(socket: &mut Socket, widget: &Value) -> (String, String) {
    let text = socket.ask("post_widget", widget).await;
    let posted: Value = serde_json::from_str(&text).unwrap();
    (posted["uuid"].as_str().unwrap_or_else(|| panic!("{text}")).to_owned(), text)
}

pub(crate) async fn widgets_are_made_changed_and_deleted(world: &World) {
    let tokens = world.signed_in("ana").await;
    let mut socket = Socket::enter(world.address, &tokens.access).await;
    assert_eq!(socket.ask("get_all_widgets", &json!({ "any": "thing" })).await, "[]");
    let (first, text) = post(&mut socket, &note()).await;
    let shape = |uuid: &str, tag: &str, x: i64| {
        format!(
            r#"{{"widget_tag":"{tag}","widget_x":{x},"widget_y":8,"widget_size_x":9,"widget_size_y":8,"uuid":"{uuid}"}}"#
        )
    };
    assert_eq!(text, shape(&first, "note", 9));
    assert_eq!(first.len(), 36);
    // An id is given by the server, and never taken.
    let (second, text) =
        post(&mut socket, &with(&json!({ "uuid": first, "widget_tag": " дом ", "widget_x": "-5" }))).await;
    assert_ne!(first, second);
    assert_eq!(text, shape(&second, "дом", -5));
    let both = format!("[{},{}]", shape(&first, "note", 9), shape(&second, "дом", -5));
    assert_eq!(socket.ask("get_all_widgets", &json!(null)).await, both);

    let change = with(&json!({ "uuid": first.replace('-', ""), "widget_tag": 42, "widget_x": 99_999.0 }));
    assert_eq!(
        socket.ask("update_widget", &change).await,
        r#"{"widget_tag":"42","widget_x":99999,"widget_y":8,"widget_size_x":9,"widget_size_y":8}"#
    );
    let both = format!("[{},{}]", shape(&first, "42", 99_999), shape(&second, "дом", -5));
    assert_eq!(socket.ask("get_all_widgets", &json!(7)).await, both);
    // What was deleted is gone.
    let deleted = socket.ask("delete_widget", &json!({ "widget_uuid": first })).await;
    assert_eq!(deleted, r#""widget was successfully deleted""#);
    assert_eq!(socket.ask("delete_widget", &json!({ "uuid": first })).await, NOT_FOUND);
    assert_eq!(socket.ask("update_widget", &change).await, NOT_FOUND);
    let rest = format!("[{}]", shape(&second, "дом", -5));
    assert_eq!(socket.ask("get_all_widgets", &json!(null)).await, rest);
    // Another socket, another session: the same widgets.
    let mut later = Socket::enter(world.address, &tokens.opaque).await;
    assert_eq!(later.ask("get_all_widgets", &json!(null)).await, rest);
}

/// What comes of an event with an ack: the answer and the ack, which have to be the same.
async fn acked(socket: &mut Socket, id: u64, event: &Value) -> String {
    socket.say(&format!("42/widget,{id}{event}")).await;
    let (mut answer, mut ack) = (None, None);
    while answer.is_none() || ack.is_none() {
        let text = socket.text().await;
        let inner = |start: &str| text.strip_prefix(start).and_then(|rest| rest.strip_suffix(']'));
        if let Some(payload) = inner("42/widget,[\"message\",") {
            answer = Some(payload.to_owned());
        } else if let Some(payload) = inner(&format!("43/widget,{id}[")) {
            ack = Some(payload.to_owned());
        } else {
            panic!("unexpected: {text}");
        }
    }
    assert_eq!(answer, ack);
    answer.unwrap()
}

pub(crate) async fn acks_carry_the_answer(world: &World) {
    let tokens = world.signed_in("ana").await;
    let mut socket = Socket::enter(world.address, &tokens.access).await;
    assert_eq!(acked(&mut socket, 0, &json!(["get_all_widgets"])).await, "[]");
    let posted: Value =
        serde_json::from_str(&acked(&mut socket, 1, &json!(["post_widget", note()])).await).unwrap();
    let uuid = &posted["uuid"];
    let change = with(&json!({ "uuid": uuid, "widget_x": 1 }));
    let changed = acked(&mut socket, 2, &json!(["update_widget", change])).await;
    assert!(!changed.contains("uuid"), "{changed}");
    let wrong = acked(&mut socket, 3, &json!(["post_widget", "x"])).await;
    assert_eq!(wrong, bad("Invalid data. Expected a dictionary."));
    let deleted = acked(&mut socket, 4, &json!(["delete_widget", { "uuid": uuid }])).await;
    assert_eq!(deleted, r#""widget was successfully deleted""#);
    assert_eq!(acked(&mut socket, 5, &json!(["delete_widget", { "uuid": uuid }])).await, NOT_FOUND);
}

pub(crate) async fn unknown_events_are_acked_alone(world: &World) {
    let tokens = world.signed_in("ana").await;
    let mut socket = Socket::enter(world.address, &tokens.access).await;
    for (id, name) in ["nothing", "message", "widget", "get_all_widget", "POST_WIDGET", ""].iter().enumerate()
    {
        socket.say(&format!("42/widget,{}", json!([name, {}]))).await;
        socket.say(&format!("42/widget,{id}{}", json!([name, {}]))).await;
        assert_eq!(socket.text().await, format!("43/widget,{id}[{}]", bad("Unknown event")), "{name}");
    }
    assert_eq!(socket.ask("get_all_widgets", &json!(null)).await, "[]");
}

pub(crate) async fn bad_arguments_are_named(world: &World) {
    let tokens = world.signed_in("ana").await;
    let mut socket = Socket::enter(world.address, &tokens.access).await;
    let no_object = bad("Invalid data. Expected a dictionary.");
    for event in ["post_widget", "update_widget", "delete_widget"] {
        for argument in [json!(null), json!([]), json!("x"), json!(5), json!([note()])] {
            assert_eq!(socket.ask(event, &argument).await, no_object, "{event} {argument}");
        }
        socket.say(&format!("42/widget,[\"{event}\"]")).await;
        assert_eq!(socket.message().await, no_object);
        // Binary attachments, and JSON beyond what is read.
        socket.say(&format!("451-/widget,[\"{event}\",{{\"_placeholder\":true,\"num\":0}}]")).await;
        socket.say_binary(&[1, 2, 3]).await;
        assert_eq!(socket.message().await, no_object);
        socket.say(&format!("42/widget,[\"{event}\",{{\"widget_tag\":\"\\ud800\"}}]")).await;
        assert_eq!(socket.message().await, no_object);
    }
    for (change, message) in [
        (json!({ "widget_tag": null }), "widget_tag: This field may not be null."),
        (json!({ "widget_tag": [] }), "widget_tag: Not a valid string."),
        (json!({ "widget_x": 9.5, "widget_y": true }), "widget_x: A valid integer is required."),
        (json!({ "widget_y": true }), "widget_y: A valid integer is required."),
        (
            json!({ "widget_size_x": 2_147_483_648_i64 }),
            "widget_size_x: Ensure this value is less than or equal to 2147483647.",
        ),
        (
            json!({ "widget_size_y": -2_147_483_649_i64, "uuid": "x" }),
            "widget_size_y: Ensure this value is greater than or equal to -2147483648.",
        ),
    ] {
        for event in ["post_widget", "update_widget"] {
            assert_eq!(socket.ask(event, &with(&change)).await, bad(message), "{event} {change}");
        }
    }
    assert_eq!(socket.ask("update_widget", &note()).await, bad("uuid: This field is required."));
    for event in ["update_widget", "delete_widget"] {
        let wrong = with(&json!({ "uuid": "36c17420" }));
        assert_eq!(socket.ask(event, &wrong).await, bad("uuid: Must be a valid UUID."));
        let unknown = with(&json!({ "uuid": "36c174202eee40efa9ced38f2a0a6ec8" }));
        assert_eq!(socket.ask(event, &unknown).await, NOT_FOUND);
    }
    // Nothing of it was kept.
    assert_eq!(socket.ask("get_all_widgets", &json!(null)).await, "[]");
}

pub(crate) async fn nobody_reaches_the_widgets_of_others(world: &World) {
    let [ana, ben] = [world.signed_in("ana").await, world.signed_in("ben").await];
    let mut hers = Socket::enter(world.address, &ana.access).await;
    let mut his = Socket::enter(world.address, &ben.access).await;
    let (uuid, text) = post(&mut hers, &note()).await;
    assert_eq!(his.ask("get_all_widgets", &json!(null)).await, "[]");
    assert_eq!(his.ask("delete_widget", &json!({ "uuid": uuid })).await, NOT_FOUND);
    assert_eq!(his.ask("update_widget", &with(&json!({ "uuid": uuid, "widget_x": 1 }))).await, NOT_FOUND);
    assert_eq!(hers.ask("get_all_widgets", &json!(null)).await, format!("[{text}]"));
}

pub(crate) async fn the_limit_is_said(world: &World) {
    let tokens = world.signed_in("ana").await;
    let mut socket = Socket::enter(world.address, &tokens.access).await;
    let (uuid, _) = post(&mut socket, &note()).await;
    for _ in 1..LIMIT {
        post(&mut socket, &note()).await;
    }
    let full = bad("The limit of widgets has been reached");
    assert_eq!(socket.ask("post_widget", &note()).await, full);
    // What is wrong with the fields comes first.
    let wrong = socket.ask("post_widget", &json!({})).await;
    assert_eq!(wrong, bad("widget_tag: This field is required."));
    socket.ask("delete_widget", &json!({ "uuid": uuid })).await;
    post(&mut socket, &note()).await;
    assert_eq!(socket.ask("post_widget", &note()).await, full);
}

pub(crate) async fn what_was_asked_first_is_done_first(world: &World) {
    let tokens = world.signed_in("ana").await;
    let mut socket = Socket::enter(world.address, &tokens.access).await;
    // All at once, without waiting for an answer.
    for x in 0..10 {
        socket.emit("post_widget", &with(&json!({ "widget_x": x }))).await;
        socket.emit("post_widget", &json!({ "widget_tag": "t" })).await;
        socket.emit("get_all_widgets", &json!(null)).await;
    }
    for x in 0..10 {
        let posted: Value = serde_json::from_str(&socket.message().await).unwrap();
        assert_eq!(posted["widget_x"], x);
        assert_eq!(socket.message().await, bad("widget_x: This field is required."));
        let all: Value = serde_json::from_str(&socket.message().await).unwrap();
        let xs: Vec<_> =
            all.as_array().unwrap().iter().map(|widget| widget["widget_x"].as_i64().unwrap()).collect();
        assert_eq!(xs, (0..=x).collect::<Vec<_>>());
    }
}

pub(crate) async fn too_many_messages_are_refused(world: &World) {
    let tokens = world.signed_in("ana").await;
    let mut socket = Socket::enter(world.address, &tokens.access).await;
    let envelope =
        r#"{"data":{"message":"Too many messages. Please slow down."},"code":429,"request_id":""}"#;
    // More than the burst at once; the answers of an event without an ack are none.
    let flood = BURST * 20;
    for _ in 0..flood {
        socket.emit("nothing", &json!(null)).await;
    }
    assert_eq!(socket.message().await, envelope);
    socket.emit("get_all_widgets", &json!(null)).await;
    // The socket stays.
    loop {
        let answer = socket.message().await;
        if answer == "[]" {
            break;
        }
        assert_eq!(answer, envelope);
        socket.emit("get_all_widgets", &json!(null)).await;
    }
}
