//! Several dashboards of one account.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    client::Socket,
    widgets::{note, with},
    world::World,
};

/// A dashboard as a client would keep it: by the answers and events that come, in the order in which they come.
struct Picture {
    socket: Socket,
    widgets: BTreeMap<String, Value>,
    /// It awaits acks, and has no ears for `message`.
    by_acks: bool,
}

impl Picture {
    async fn open(world: &World, token: &str, by_acks: bool) -> Self {
        Self { socket: Socket::enter(world.address, token).await, widgets: BTreeMap::new(), by_acks }
    }

    /// Sends an event, and follows what comes until its answer.
    async fn ask(&mut self, name: &str, argument: &Value) -> Value {
        let ack = if self.by_acks { "7" } else { "" };
        self.socket.say(&format!("42/widget,{ack}{}", json!([name, argument]))).await;
        loop {
            let text = self.socket.text().await;
            if let Some(ack) = text.strip_prefix("43/widget,7") {
                let answer = serde_json::from_str::<Value>(ack).unwrap()[0].clone();
                self.take_answer(name, argument, &answer);
                return answer;
            }
            let packet = text.strip_prefix("42/widget,").unwrap_or_else(|| panic!("{text}"));
            let event: Value = serde_json::from_str(packet).unwrap();
            if event[0] == "message" && self.by_acks {
                continue;
            }
            if event[0] == "message" {
                let answer = event[1].clone();
                self.take_answer(name, argument, &answer);
                return answer;
            }
            assert_eq!(event[0], "widget");
            let widget = &event[1]["widget"];
            let uuid = widget["uuid"].as_str().unwrap().to_owned();
            match event[1]["action"].as_str().unwrap() {
                "created" | "updated" => drop(self.widgets.insert(uuid, widget.clone())),
                "deleted" => drop(self.widgets.remove(&uuid)),
                other => panic!("{other}"),
            }
        }
    }

    fn take_answer(&mut self, name: &str, argument: &Value, answer: &Value) {
        if answer.get("code").is_some() {
            return;
        }
        let uuid_of = |widget: &Value| widget["uuid"].as_str().unwrap().to_owned();
        match name {
            "get_all_widgets" => {
                let all = answer.as_array().unwrap().iter();
                self.widgets = all.map(|widget| (uuid_of(widget), widget.clone())).collect();
            }
            "post_widget" => drop(self.widgets.insert(uuid_of(answer), answer.clone())),
            "update_widget" => {
                let mut widget = answer.clone();
                widget["uuid"] = argument["uuid"].clone();
                self.widgets.insert(uuid_of(argument), widget);
            }
            _ => drop(self.widgets.remove(&uuid_of(argument))),
        }
    }

    /// The id of one that it shows; which one, the number says.
    fn some(&self, number: usize) -> Option<String> {
        self.widgets.keys().nth(number % self.widgets.len().max(1)).cloned()
    }
}

pub(crate) async fn changes_are_heard_by_the_others_alone(world: &World) {
    let key = world.key("ana").await;
    let tokens = world.again(&key).await;
    let mut one = Socket::enter(world.address, &tokens.access).await;
    // The same session, and no session at all.
    let mut others =
        [Socket::enter(world.address, &tokens.access).await, Socket::enter(world.address, &key).await];

    let posted = one.ask("post_widget", &note()).await;
    let uuid = serde_json::from_str::<Value>(&posted).unwrap()["uuid"].as_str().unwrap().to_owned();
    let changed = one.ask("update_widget", &with(&json!({ "uuid": uuid, "widget_x": 1 }))).await;
    let widget = posted.replacen("\"widget_x\":9", "\"widget_x\":1", 1);
    assert!(widget.starts_with(changed.trim_end_matches('}')));
    // Set to what it is: told all the same.
    one.ask("update_widget", &with(&json!({ "uuid": uuid, "widget_x": 1 }))).await;
    one.ask("delete_widget", &json!({ "uuid": uuid })).await;
    for other in &mut others {
        let expected =
            [("created", &posted), ("updated", &widget), ("updated", &widget), ("deleted", &widget)];
        for (action, widget) in expected {
            assert_eq!(other.event("widget").await, format!(r#"{{"action":"{action}","widget":{widget}}}"#));
        }
        assert_eq!(other.ask("get_all_widgets", &json!(null)).await, "[]");
    }
    // Nothing but answers came to the one who asked.
    assert_eq!(one.ask("get_all_widgets", &json!(null)).await, "[]");
}

pub(crate) async fn another_accounts_dashboard_hears_nothing(world: &World) {
    let [ana, ben] = [world.signed_in("ana").await, world.signed_in("ben").await];
    let mut hers = Socket::enter(world.address, &ana.access).await;
    let mut his = Socket::enter(world.address, &ben.access).await;
    for _ in 0..10 {
        hers.ask("post_widget", &note()).await;
        his.ask("post_widget", &note()).await;
    }
    assert_eq!(his.ask("delete_widget", &json!({})).await.matches("400").count(), 1);
    assert_eq!(hers.ask("get_all_widgets", &json!(null)).await.matches("uuid").count(), 10);
}

pub(crate) async fn what_failed_is_not_heard_of(world: &World) {
    let tokens = world.signed_in("ana").await;
    let mut one = Socket::enter(world.address, &tokens.access).await;
    let mut other = Socket::enter(world.address, &tokens.access).await;
    one.ask("post_widget", &json!({})).await;
    one.ask("update_widget", &with(&json!({ "uuid": "36c174202eee40efa9ced38f2a0a6ec8" }))).await;
    one.ask("delete_widget", &json!({ "uuid": "36c174202eee40efa9ced38f2a0a6ec8" })).await;
    assert_eq!(other.ask("get_all_widgets", &json!(null)).await, "[]");
    one.ask("post_widget", &note()).await;
    assert!(other.event("widget").await.starts_with(r#"{"action":"created","#));
}

pub(crate) async fn dashboards_stay_the_same(world: &World) {
    let tokens = world.signed_in("ana").await;
    let mut pictures = Vec::new();
    for number in 0..6 {
        pictures.push(Picture::open(world, &tokens.access, number % 2 == 1).await);
    }
    let mut tasks = Vec::new();
    for (number, mut picture) in pictures.into_iter().enumerate() {
        tasks.push(tokio::spawn(async move {
            for step in 0..60 {
                let x = number * 1000 + step;
                match (picture.some(step / 3), (step + number) % 6) {
                    (Some(uuid), 0..=2) => {
                        picture.ask("update_widget", &with(&json!({ "uuid": uuid, "widget_x": x }))).await
                    }
                    (Some(uuid), 3) if step % 4 == 0 => {
                        picture.ask("delete_widget", &json!({ "uuid": uuid })).await
                    }
                    (_, 4) => picture.ask("get_all_widgets", &json!(null)).await,
                    _ => picture.ask("post_widget", &with(&json!({ "widget_x": x }))).await,
                };
            }
            picture
        }));
    }
    let mut pictures = Vec::new();
    for task in tasks {
        pictures.push(task.await.unwrap());
    }
    // All that was changed is on its way to all by now: what comes before one more answer is the rest of it.
    for picture in &mut pictures {
        let answer = picture.ask("delete_widget", &json!({})).await;
        assert_eq!(answer["code"], 400);
    }
    let mut reader = Picture::open(world, &tokens.access, false).await;
    reader.ask("get_all_widgets", &json!(null)).await;
    assert!(!reader.widgets.is_empty());
    for picture in &pictures {
        assert_eq!(picture.widgets, reader.widgets);
    }
}
