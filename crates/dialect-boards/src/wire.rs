//! The shapes of document 000.

use domain::{
    sessions::Tokens,
    widgets::{self, Deed, Tile, WidgetChange},
};
use serde::Serialize;
use utoipa::ToSchema;

/// What a sign-in gives; its keys are exact.
#[derive(Serialize, ToSchema)]
pub(crate) struct SignedIn {
    /// The refresh token.
    refresh: String,
    /// The access token.
    access: String,
}

impl From<Tokens> for SignedIn {
    fn from(tokens: Tokens) -> Self {
        Self { refresh: tokens.refresh, access: tokens.access }
    }
}

/// What a sign-in takes.
#[derive(ToSchema)]
#[allow(dead_code, reason = "it is there for the API document")]
pub(crate) struct SignIn {
    /// An access key, an opaque token, or a Discord authorization code.
    token: String,
}

/// What is wrong.
#[derive(ToSchema)]
#[allow(dead_code, reason = "as above")]
pub(crate) struct MessageText {
    message: String,
}

/// What can be changed about a widget; its keys are exact.
#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the keys are the document's")]
pub(crate) struct Fields {
    widget_tag: String,
    widget_x: i32,
    widget_y: i32,
    widget_size_x: i32,
    widget_size_y: i32,
}

impl From<Tile> for Fields {
    fn from(tile: Tile) -> Self {
        let Tile { tag, x, y, size_x, size_y } = tile;
        Self {
            widget_tag: tag.as_str().to_owned(),
            widget_x: x,
            widget_y: y,
            widget_size_x: size_x,
            widget_size_y: size_y,
        }
    }
}

/// The widget object.
#[derive(Serialize)]
pub(crate) struct Widget {
    #[serde(flatten)]
    fields: Fields,
    /// With dashes.
    uuid: String,
}

impl From<widgets::Widget> for Widget {
    fn from(widget: widgets::Widget) -> Self {
        Self { fields: widget.tile.into(), uuid: widget.id.0.hyphenated().to_string() }
    }
}

/// What the account's other dashboards hear of a change.
#[derive(Serialize)]
pub(crate) struct Change {
    action: &'static str,
    widget: Widget,
}

impl From<WidgetChange> for Change {
    fn from(change: WidgetChange) -> Self {
        let action = match change.deed {
            Deed::Created => "created",
            Deed::Updated => "updated",
            Deed::Deleted => "deleted",
        };
        Self { action, widget: change.widget.into() }
    }
}

#[cfg(test)]
mod tests {
    use domain::{AccountId, WidgetId, widgets::DashboardId};
    use uuid::Uuid;

    use super::*;

    fn widget() -> widgets::Widget {
        let tag = widgets::Tag::of("note").unwrap();
        let tile = Tile { tag, x: 9, y: -8, size_x: i32::MAX, size_y: 0 };
        widgets::Widget { id: WidgetId(Uuid::from_u128(0x36c1_7420_2eee_40ef_a9ce_d38f_2a0a_6ec8)), tile }
    }

    fn text(what: &impl Serialize) -> String {
        serde_json::to_string(what).unwrap()
    }

    #[test]
    fn the_keys_stand_in_the_documents_order() {
        let widget_text = text(&Widget::from(widget()));
        assert_eq!(
            widget_text,
            r#"{"widget_tag":"note","widget_x":9,"widget_y":-8,"widget_size_x":2147483647,"widget_size_y":0,"uuid":"36c17420-2eee-40ef-a9ce-d38f2a0a6ec8"}"#
        );
        assert_eq!(
            text(&Fields::from(widget().tile)),
            r#"{"widget_tag":"note","widget_x":9,"widget_y":-8,"widget_size_x":2147483647,"widget_size_y":0}"#
        );
        for (deed, action) in
            [(Deed::Created, "created"), (Deed::Updated, "updated"), (Deed::Deleted, "deleted")]
        {
            let by = DashboardId(Uuid::nil());
            let change = WidgetChange { account: AccountId(1), deed, widget: widget(), by };
            assert_eq!(
                text(&Change::from(change)),
                format!(r#"{{"action":"{action}","widget":{widget_text}}}"#)
            );
        }
    }
}
