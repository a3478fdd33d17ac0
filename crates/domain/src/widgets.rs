//! Widgets: what an account has put on its dashboard, and where.

use async_trait::async_trait;
use uuid::Uuid;

use crate::{AccountId, App, Caller, Result, Rule, WidgetId};

/// Most characters of a tag.
pub const MAX_TAG: usize = 100;

/// What kind of widget it is: 1 to [`MAX_TAG`] characters, without blanks around them and without NUL.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tag(String);

impl Tag {
    /// The tag of this text, blanks around it cut off; or the rule that it breaks: `Blank`, `TooLong`, or `Charset`
    /// for NUL.
    pub fn of(text: &str) -> Result<Self, Rule> {
        let text = text.trim();
        if text.is_empty() {
            Err(Rule::Blank)
        } else if text.chars().nth(MAX_TAG).is_some() {
            Err(Rule::TooLong(MAX_TAG))
        } else if text.contains('\0') {
            Err(Rule::Charset)
        } else {
            Ok(Self(text.to_owned()))
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a widget is, and where: all that can be changed about it. The unit of length is the dashboard's own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tile {
    /// What kind of widget it is.
    pub tag: Tag,
    /// Its place from the left.
    pub x: i32,
    /// Its place from the top.
    pub y: i32,
    /// Its width.
    pub size_x: i32,
    /// Its height.
    pub size_y: i32,
}

/// A widget, as it is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Widget {
    /// Its id.
    pub id: WidgetId,
    /// What it is, and where.
    pub tile: Tile,
}

/// One open dashboard, on whichever node. It tells those who change widgets apart from those who hear of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct DashboardId(pub Uuid);

/// A change of a widget, for the other dashboards of its account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WidgetChange {
    /// Whose widget it is.
    pub account: AccountId,
    /// What was done.
    pub deed: Deed,
    /// The widget as it is now; a deleted one as it was at last.
    pub widget: Widget,
    /// Where it was done.
    pub by: DashboardId,
}

/// What was done to a widget.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Deed {
    /// It was made.
    Created,
    /// It was changed, or set to what it was.
    Updated,
    /// It was deleted.
    Deleted,
}

/// What the core asks of the store about widgets. What changes is published as a [`WidgetChange`] by `by`; the changes of
/// one account in the order of their commits.
#[async_trait]
pub trait Widgets: Send + Sync {
    /// The account's widgets, in the order of their creation.
    async fn widgets_of(&self, account: AccountId) -> Result<Vec<Widget>>;

    /// Makes a widget, the last in order. `Conflict(WidgetLimit)` when the account has `most` already, however many are
    /// made at once; `NotFound(Account)` when it is deleted.
    async fn add_widget(
        &self,
        account: AccountId,
        widget: Widget,
        most: usize,
        by: DashboardId,
    ) -> Result<()>;

    /// Changes a widget. `NotFound(Widget)`, also when it is another account's.
    async fn set_widget(&self, account: AccountId, widget: Widget, by: DashboardId) -> Result<()>;

    /// Deletes a widget. `NotFound(Widget)`, also when it is another account's.
    async fn remove_widget(&self, account: AccountId, id: WidgetId, by: DashboardId) -> Result<()>;
}

/// An id for a dashboard that was just opened.
pub fn dashboard(app: &App) -> DashboardId {
    DashboardId(app.ids.uuid())
}

/// The caller's widgets, in the order of their creation.
pub async fn list(app: &App, caller: &Caller) -> Result<Vec<Widget>> {
    app.store.widgets_of(caller.account).await
}

/// Makes a widget of the caller's. `Conflict(WidgetLimit)` when there are as many as the settings allow.
pub async fn add(app: &App, caller: &Caller, tile: Tile, by: DashboardId) -> Result<Widget> {
    let widget = Widget { id: WidgetId(app.ids.uuid()), tile };
    app.store.add_widget(caller.account, widget.clone(), app.settings.max_widgets, by).await?;
    Ok(widget)
}

/// Changes a widget of the caller's. `NotFound(Widget)`.
pub async fn set(app: &App, caller: &Caller, widget: Widget, by: DashboardId) -> Result<()> {
    app.store.set_widget(caller.account, widget, by).await
}

/// Deletes a widget of the caller's. `NotFound(Widget)`.
pub async fn remove(app: &App, caller: &Caller, id: WidgetId, by: DashboardId) -> Result<()> {
    app.store.remove_widget(caller.account, id, by).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_has_one_to_a_hundred_characters() {
        assert_eq!(Tag::of(" \u{a0}note\n").unwrap().as_str(), "note");
        assert_eq!(Tag::of(&"é".repeat(100)).unwrap().as_str().chars().count(), 100);
        assert_eq!(Tag::of(&format!("  {}  ", "🙂".repeat(100))).unwrap().as_str().len(), 400);
        assert_eq!(Tag::of(&"é".repeat(101)), Err(Rule::TooLong(100)));
        for blank in ["", " ", "\t\n\u{2003}"] {
            assert_eq!(Tag::of(blank), Err(Rule::Blank), "{blank:?}");
        }
        assert_eq!(Tag::of("a\0b"), Err(Rule::Charset));
    }
}
