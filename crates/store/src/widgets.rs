//! Widgets of dashboards.

use anyhow::Context as _;
use async_trait::async_trait;
use domain::{
    AccountId, Error, Event, Noun, Result, WidgetId,
    widgets::{DashboardId, Deed, Tag, Tile, Widget, WidgetChange, Widgets},
};

use crate::{
    SqlStore,
    engine::{Row, Tx, vals},
};

/// The columns of a widget: [`widget`] reads them in this order.
macro_rules! widget_columns {
    () => {
        "uuid, tag, x, y, size_x, size_y"
    };
}

#[async_trait]
impl Widgets for SqlStore {
    async fn widgets_of(&self, account: AccountId) -> Result<Vec<Widget>> {
        const OF: &str = concat!("SELECT ", widget_columns!(), " FROM widget WHERE account = $1 ORDER BY id");
        self.read(move |tx| tx.query(OF, vals![account])?.iter_mut().map(widget).collect()).await
    }

    async fn add_widget(
        &self,
        account: AccountId,
        widget: Widget,
        most: usize,
        by: DashboardId,
    ) -> Result<()> {
        self.write(move |tx| add(tx, account, &widget, most, by)).await
    }

    async fn set_widget(&self, account: AccountId, widget: Widget, by: DashboardId) -> Result<()> {
        self.write(move |tx| set(tx, account, &widget, by)).await
    }

    async fn remove_widget(&self, account: AccountId, id: WidgetId, by: DashboardId) -> Result<()> {
        self.write(move |tx| remove(tx, account, id, by)).await
    }
}

fn add(tx: &mut Tx<'_>, account: AccountId, new: &Widget, most: usize, by: DashboardId) -> Result<()> {
    const ADD: &str = "INSERT INTO widget (uuid, account, tag, x, y, size_x, size_y)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    const COUNT: &str = "SELECT COUNT(*) FROM widget WHERE account = $1";
    lock(tx, account)?.ok_or(Error::NotFound(Noun::Account))?;
    let present: i64 = tx.column(COUNT, vals![account])?.pop().context("a count gives a row")?;
    if usize::try_from(present).is_ok_and(|present| present >= most) {
        return Err(Error::Conflict(Noun::WidgetLimit));
    }
    let Widget { id, tile } = new;
    let Tile { tag, x, y, size_x, size_y } = tile;
    tx.exec(ADD, vals![*id, account, tag.as_str(), *x, *y, *size_x, *size_y])?;
    tell(tx, account, Deed::Created, new.clone(), by);
    Ok(())
}

fn set(tx: &mut Tx<'_>, account: AccountId, new: &Widget, by: DashboardId) -> Result<()> {
    const SET: &str = "UPDATE widget SET tag = $3, x = $4, y = $5, size_x = $6, size_y = $7
        WHERE uuid = $1 AND account = $2";
    lock(tx, account)?;
    let Widget { id, tile } = new;
    let Tile { tag, x, y, size_x, size_y } = tile;
    if tx.exec(SET, vals![*id, account, tag.as_str(), *x, *y, *size_x, *size_y])? == 0 {
        return Err(Error::NotFound(Noun::Widget));
    }
    tell(tx, account, Deed::Updated, new.clone(), by);
    Ok(())
}

fn remove(tx: &mut Tx<'_>, account: AccountId, id: WidgetId, by: DashboardId) -> Result<()> {
    const REMOVE: &str =
        concat!("DELETE FROM widget WHERE uuid = $1 AND account = $2 RETURNING ", widget_columns!());
    lock(tx, account)?;
    let mut row = tx.first(REMOVE, vals![id, account])?.ok_or(Error::NotFound(Noun::Widget))?;
    let widget = widget(&mut row)?;
    tell(tx, account, Deed::Deleted, widget, by);
    Ok(())
}

/// Lets the account's changes happen one after the other, so that a limit holds, ids stand in the order of the commits,
/// and what is told too. `None` when the account is deleted.
fn lock(tx: &mut Tx<'_>, account: AccountId) -> Result<Option<Row>> {
    const LOCK: &str = "SELECT id FROM account WHERE id = $1 AND deleted_at IS NULL FOR UPDATE";
    Ok(tx.first(LOCK, vals![account])?)
}

fn tell(tx: &mut Tx<'_>, account: AccountId, deed: Deed, widget: Widget, by: DashboardId) {
    tx.tell(Event::WidgetChanged(WidgetChange { account, deed, widget, by }));
}

fn widget(row: &mut Row) -> Result<Widget> {
    let id = row.take()?;
    let text: String = row.take()?;
    let tag = Tag::of(&text).map_err(|rule| anyhow::anyhow!("a stored tag breaks a rule: {rule:?}"))?;
    let tile = Tile { tag, x: row.take()?, y: row.take()?, size_x: row.take()?, size_y: row.take()? };
    Ok(Widget { id, tile })
}
