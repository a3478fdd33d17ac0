//! Widgets of dashboards.

use std::collections::HashMap;

use domain::{
    AccountId, Error, Noun, WidgetId,
    widgets::{DashboardId, Deed, Tag, Tile, Widget, WidgetChange},
};

use crate::{
    crowd::at_once,
    world::{NO_ACCOUNT, World, at, is, uuid},
};

const NO_WIDGET: Error = Error::NotFound(Noun::Widget);
const FULL: Error = Error::Conflict(Noun::WidgetLimit);

fn tile(tag: &str, x: i32) -> Tile {
    Tile { tag: Tag::of(tag).unwrap(), x, y: -x, size_x: i32::MAX, size_y: i32::MIN }
}

fn widget(tag: &str, x: i32) -> Widget {
    Widget { id: WidgetId(uuid()), tile: tile(tag, x) }
}

fn dashboard() -> DashboardId {
    DashboardId(uuid())
}

impl World {
    async fn widget(&self, account: AccountId, tag: &str) -> Widget {
        let widget = widget(tag, 7);
        self.store.add_widget(account, widget.clone(), 500, dashboard()).await.unwrap();
        widget
    }

    async fn widgets(&self, account: AccountId) -> Vec<Widget> {
        self.store.widgets_of(account).await.unwrap()
    }
}

pub(crate) async fn widgets_are_listed_in_the_order_of_their_creation(world: &World) {
    let [ana, ben] = world.accounts(["ana", "ben"]).await;
    assert!(world.widgets(ana).await.is_empty());
    let mut made = Vec::new();
    for tag in ["note", "дом 🙂", "a", "note"] {
        made.push(world.widget(ana, tag).await);
        world.widget(ben, tag).await;
    }
    // A change moves nothing.
    made[1].tile = tile("changed", 3);
    world.store.set_widget(ana, made[1].clone(), dashboard()).await.unwrap();
    assert_eq!(world.widgets(ana).await, made);
    world.store.remove_widget(ana, made[3].id, dashboard()).await.unwrap();
    made[3] = world.widget(ana, "last").await;
    assert_eq!(world.widgets(ana).await, made);
    assert_eq!(world.widgets(ben).await.len(), 4);
}

pub(crate) async fn a_widget_is_changed_and_deleted_by_its_owner_alone(world: &World) {
    let [ana, ben] = world.accounts(["ana", "ben"]).await;
    let mine = world.widget(ana, "note").await;
    let before = world.bus.widgets().len();
    for (account, id) in [(ben, mine.id), (ana, WidgetId(uuid()))] {
        let changed = world.store.set_widget(account, Widget { id, ..widget("x", 1) }, dashboard()).await;
        assert!(is(&changed, &NO_WIDGET), "{changed:?}");
        let removed = world.store.remove_widget(account, id, dashboard()).await;
        assert!(is(&removed, &NO_WIDGET), "{removed:?}");
    }
    assert_eq!(world.widgets(ana).await, std::slice::from_ref(&mine));
    assert_eq!(world.bus.widgets().len(), before);

    world.store.remove_widget(ana, mine.id, dashboard()).await.unwrap();
    assert!(world.widgets(ana).await.is_empty());
    let again = world.store.remove_widget(ana, mine.id, dashboard()).await;
    assert!(is(&again, &NO_WIDGET), "{again:?}");
}

pub(crate) async fn changes_are_told_with_the_widget(world: &World) {
    let ana = world.account("ana").await;
    let (one, other) = (dashboard(), dashboard());
    let first = widget("note", 1);
    world.store.add_widget(ana, first.clone(), 500, one).await.unwrap();
    let second = Widget { tile: tile("clock", 2), ..first.clone() };
    world.store.set_widget(ana, second.clone(), other).await.unwrap();
    // Set to what it is: told all the same.
    world.store.set_widget(ana, second.clone(), one).await.unwrap();
    world.store.remove_widget(ana, first.id, other).await.unwrap();
    let change = |deed, widget: &Widget, by| WidgetChange { account: ana, deed, widget: widget.clone(), by };
    let expected = [
        change(Deed::Created, &first, one),
        change(Deed::Updated, &second, other),
        change(Deed::Updated, &second, one),
        change(Deed::Deleted, &second, other),
    ];
    assert_eq!(world.bus.widgets(), expected);
}

pub(crate) async fn a_full_dashboard_takes_no_more(world: &World) {
    let [ana, ben] = world.accounts(["ana", "ben"]).await;
    let add = async |account, most| world.store.add_widget(account, widget("x", 1), most, dashboard()).await;
    let none = add(ana, 0).await;
    assert!(is(&none, &FULL), "{none:?}");
    for _ in 0..3 {
        add(ana, 3).await.unwrap();
    }
    let beyond = add(ana, 3).await;
    assert!(is(&beyond, &FULL), "{beyond:?}");
    add(ben, 3).await.unwrap();
    // A limit that was lowered takes nothing away, and what is deleted makes room.
    let lowered = add(ana, 2).await;
    assert!(is(&lowered, &FULL), "{lowered:?}");
    let mine = world.widgets(ana).await;
    assert_eq!(mine.len(), 3);
    world.store.remove_widget(ana, mine[0].id, dashboard()).await.unwrap();
    add(ana, 3).await.unwrap();
    assert_eq!(world.bus.widgets().len(), 6);
}

pub(crate) async fn racing_widgets_stay_within_the_limit(world: &World) {
    let [ana, ben] = world.accounts(["ana", "ben"]).await;
    let added = at_once(60, |number| {
        let store = world.store.clone();
        let account = if number % 3 == 0 { ben } else { ana };
        async move { store.add_widget(account, widget("x", 1), 10, dashboard()).await }
    })
    .await;
    assert_eq!(added.iter().filter(|added| added.is_ok()).count(), 20);
    assert!(added.iter().all(|added| added.is_ok() || is(added, &FULL)), "{added:?}");
    assert_eq!((world.widgets(ana).await.len(), world.widgets(ben).await.len()), (10, 10));
}

pub(crate) async fn changes_at_once_are_told_in_the_order_of_their_commits(world: &World) {
    let ana = world.account("ana").await;
    let shared = world.widget(ana, "shared").await;
    at_once(24, |number| {
        let store = world.store.clone();
        let shared = shared.id;
        async move {
            for step in 0..5 {
                let x = i32::try_from(number * 10 + step).unwrap();
                let tile = tile("shared", x);
                store.set_widget(ana, Widget { id: shared, tile }, dashboard()).await.unwrap();
                let own = widget("own", x);
                store.add_widget(ana, own.clone(), 500, dashboard()).await.unwrap();
                if step % 2 == 0 {
                    store.remove_widget(ana, own.id, dashboard()).await.unwrap();
                }
            }
        }
    })
    .await;
    // Whoever follows what is told has what is stored, in its order.
    let mut order = Vec::new();
    let mut known = HashMap::new();
    for change in world.bus.widgets() {
        match change.deed {
            Deed::Created => {
                order.push(change.widget.id);
                assert!(known.insert(change.widget.id, change.widget).is_none());
            }
            Deed::Updated => assert!(known.insert(change.widget.id, change.widget).is_some()),
            Deed::Deleted => assert_eq!(known.remove(&change.widget.id), Some(change.widget)),
        }
    }
    let followed: Vec<Widget> = order.iter().filter_map(|id| known.remove(id)).collect();
    assert_eq!(followed.len(), 1 + 24 * 2);
    assert_eq!(world.widgets(ana).await, followed);
}

pub(crate) async fn a_deleted_accounts_widgets_go(world: &World) {
    let [ana, ben] = world.accounts(["ana", "ben"]).await;
    let mine = world.widget(ana, "note").await;
    world.widget(ben, "note").await;
    world.store.remove_account(ana, at(1)).await.unwrap();
    assert!(world.widgets(ana).await.is_empty());
    assert_eq!(world.widgets(ben).await.len(), 1);
    assert_eq!(world.number("SELECT COUNT(*) FROM widget").await, 1);
    let added = world.store.add_widget(ana, widget("x", 1), 500, dashboard()).await;
    assert!(is(&added, &NO_ACCOUNT), "{added:?}");
    let changed = world.store.set_widget(ana, mine, dashboard()).await;
    assert!(is(&changed, &NO_WIDGET), "{changed:?}");
}
