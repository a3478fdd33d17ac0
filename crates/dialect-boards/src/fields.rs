//! What comes with an event: the fields of a widget, and which one is meant.

use std::borrow::Cow;

use domain::{
    Rule, WidgetId,
    widgets::{Tag, Tile},
};
use kit::{
    body::Content,
    fields::{self, Fields},
};
use serde_json::{Number, Value};
use uuid::Uuid;

/// What an argument is that is no object, or is missing.
const NO_OBJECT: &str = "Invalid data. Expected a dictionary.";

const REQUIRED: &str = "This field is required.";
const NULL: &str = "This field may not be null.";

/// The names of a widget's id, the one that wins first.
const UUID: [&str; 2] = ["uuid", "widget_uuid"];

/// Whole numbers beyond this are not exact in a double (2⁵³).
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The five fields of a new widget. The error names the first that is wrong.
pub(crate) fn tile(argument: Option<&Value>) -> Result<Tile, String> {
    read(argument, |fields| {
        let (tag, [x, y, size_x, size_y]) = (tag(fields), numbers(fields));
        Some(Tile { tag: tag?, x, y, size_x, size_y })
    })
}

/// The five fields, and the widget's id, which is looked at last.
pub(crate) fn widget(argument: Option<&Value>) -> Result<(WidgetId, Tile), String> {
    read(argument, |fields| {
        let (tag, [x, y, size_x, size_y], id) = (tag(fields), numbers(fields), id(fields));
        Some((id?, Tile { tag: tag?, x, y, size_x, size_y }))
    })
}

/// The widget's id.
pub(crate) fn which(argument: Option<&Value>) -> Result<WidgetId, String> {
    read(argument, id)
}

/// Reads fields in order; the first error that is noted becomes `field: text`.
fn read<T>(argument: Option<&Value>, take: impl FnOnce(&mut Fields<'_>) -> Option<T>) -> Result<T, String> {
    let argument = argument.filter(|argument| argument.is_object()).ok_or(NO_OBJECT)?;
    let content = Content::of_json(argument.clone());
    let mut fields = Fields::of(&content);
    let taken = take(&mut fields);
    match (fields.done(), taken) {
        (Ok(()), Some(taken)) => Ok(taken),
        (Ok(()), None) => Err(NO_OBJECT.to_owned()),
        (Err(reply), _) => {
            let first = reply.body.as_object().and_then(|errors| errors.iter().next());
            let (field, texts) = first.ok_or(NO_OBJECT)?;
            Err(format!("{field}: {}", texts[0].as_str().unwrap_or_default()))
        }
    }
}

fn tag(fields: &mut Fields<'_>) -> Option<Tag> {
    const NAME: &str = "widget_tag";
    let problem = match fields.value(NAME) {
        None => REQUIRED.to_owned(),
        Some(Value::Null) => NULL.to_owned(),
        Some(value) => match text(value).map(|text| Tag::of(&text)) {
            Some(Ok(tag)) => return Some(tag),
            Some(Err(Rule::Charset)) => "Null characters are not allowed.".to_owned(),
            Some(Err(rule)) => fields::text_of(&rule),
            None => "Not a valid string.".to_owned(),
        },
    };
    fields.error(NAME, problem);
    None
}

/// A text, or the digits of a whole number.
fn text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => digits(number).map(Cow::Owned),
        _ => None,
    }
}

/// The digits of a whole number; of one that a double does not hold exactly, they are not known.
fn digits(number: &Number) -> Option<String> {
    if !number.is_f64() {
        return Some(number.to_string());
    }
    let number = number.as_f64().filter(|number| number.fract() == 0.0 && number.abs() <= EXACT)?;
    // Adding zero makes a plain zero of a negative one.
    Some(format!("{:.0}", number + 0.0))
}

/// The four numbers; the stand-ins for wrong ones are never used.
fn numbers(fields: &mut Fields<'_>) -> [i32; 4] {
    ["widget_x", "widget_y", "widget_size_x", "widget_size_y"].map(|name| {
        let number = fields.integer(name).min(i32::MIN.into()).max(i32::MAX.into()).read();
        i32::try_from(number).unwrap_or_default()
    })
}

fn id(fields: &mut Fields<'_>) -> Option<WidgetId> {
    let sent = UUID.iter().find_map(|name| fields.value(name).filter(|value| !value.is_null()));
    let problem = match sent {
        Some(value) => match value.as_str().and_then(uuid) {
            Some(uuid) => return Some(WidgetId(uuid)),
            None => "Must be a valid UUID.",
        },
        None if UUID.iter().any(|name| fields.has(name)) => NULL,
        None => REQUIRED,
    };
    fields.error(UUID[0], problem);
    None
}

/// A UUID with its four dashes, or without any.
fn uuid(text: &str) -> Option<Uuid> {
    matches!(text.len(), 32 | 36).then(|| Uuid::try_parse(text).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn good() -> Value {
        json!({ "widget_tag": "note", "widget_x": 9, "widget_y": 8, "widget_size_x": 7, "widget_size_y": 6 })
    }

    /// The good fields, with one of another value.
    fn with(name: &str, value: Value) -> Value {
        let mut argument = good();
        argument[name] = value;
        argument
    }

    fn without(name: &str) -> Value {
        let mut argument = good();
        argument.as_object_mut().unwrap().remove(name);
        argument
    }

    fn wrong(argument: &Value) -> String {
        tile(Some(argument)).unwrap_err()
    }

    fn tag_of(value: Value) -> Result<String, String> {
        tile(Some(&with("widget_tag", value))).map(|tile| tile.tag.as_str().to_owned())
    }

    #[test]
    fn five_good_fields_are_a_tile() {
        let Tile { tag, x, y, size_x, size_y } = tile(Some(&good())).unwrap();
        assert_eq!((tag.as_str(), x, y, size_x, size_y), ("note", 9, 8, 7, 6));
        // An id of a widget that is to be made, whatever it is, and unknown keys.
        for (name, value) in [("uuid", json!("x")), ("widget_uuid", json!(5)), ("color", json!([1]))] {
            assert!(tile(Some(&with(name, value))).is_ok());
        }
    }

    #[test]
    fn an_argument_is_an_object() {
        for argument in [None, Some(json!([good()])), Some(json!("x")), Some(json!(5)), Some(json!(true))] {
            assert_eq!(tile(argument.as_ref()).unwrap_err(), "Invalid data. Expected a dictionary.");
            assert_eq!(widget(argument.as_ref()).unwrap_err(), "Invalid data. Expected a dictionary.");
            assert_eq!(which(argument.as_ref()).unwrap_err(), "Invalid data. Expected a dictionary.");
        }
    }

    #[test]
    fn the_first_wrong_field_in_the_order_of_the_keys_is_named() {
        let names = ["widget_tag", "widget_x", "widget_y", "widget_size_x", "widget_size_y"];
        let mut argument = json!({});
        assert_eq!(wrong(&argument), "widget_tag: This field is required.");
        argument["uuid"] = json!("x");
        for (at, name) in names.iter().enumerate() {
            let expected = format!("{name}: This field is required.");
            assert_eq!(widget(Some(&argument)).unwrap_err(), expected, "{at}");
            argument[*name] = json!(1);
        }
        assert_eq!(widget(Some(&argument)).unwrap_err(), "uuid: Must be a valid UUID.");
        // Whatever the order in which they come.
        let mixed = json!({ "widget_size_y": "a", "widget_x": "b", "widget_tag": "t", "widget_y": [], "widget_size_x": {} });
        assert_eq!(wrong(&mixed), "widget_x: A valid integer is required.");
    }

    #[test]
    fn fields_are_required_and_not_null() {
        for name in ["widget_tag", "widget_x", "widget_y", "widget_size_x", "widget_size_y"] {
            assert_eq!(wrong(&without(name)), format!("{name}: This field is required."));
            assert_eq!(wrong(&with(name, Value::Null)), format!("{name}: This field may not be null."));
        }
    }

    #[test]
    fn a_tag_is_a_text_or_a_whole_number() {
        assert_eq!(tag_of(json!("  note \n")).unwrap(), "note");
        assert_eq!(tag_of(json!("é".repeat(100))).unwrap().chars().count(), 100);
        for (number, digits) in [
            ("5", "5"),
            ("-7", "-7"),
            ("8.0", "8"),
            ("-0.0", "0"),
            ("18446744073709551615", "18446744073709551615"),
        ] {
            assert_eq!(tag_of(serde_json::from_str(number).unwrap()).unwrap(), digits);
        }
        for value in [json!(9.5), json!(true), json!(false), json!([]), json!({}), json!(["a"]), json!(1e300)]
        {
            assert_eq!(tag_of(value).unwrap_err(), "widget_tag: Not a valid string.");
        }
        for value in ["", " ", "\t\n"] {
            assert_eq!(tag_of(json!(value)).unwrap_err(), "widget_tag: This field may not be blank.");
        }
        assert_eq!(
            tag_of(json!("🙂".repeat(101))).unwrap_err(),
            "widget_tag: Ensure this field has no more than 100 characters."
        );
        assert_eq!(tag_of(json!("a\0b")).unwrap_err(), "widget_tag: Null characters are not allowed.");
    }

    #[test]
    fn numbers_are_whole_and_of_32_bits() {
        for name in ["widget_x", "widget_y", "widget_size_x", "widget_size_y"] {
            for (value, number) in [
                (json!("9"), 9),
                (json!(" -9 "), -9),
                (json!(8.0), 8),
                (json!("8.0"), 8),
                (json!(-0.0), 0),
                (json!(2_147_483_647), i32::MAX),
                (json!(-2_147_483_648_i64), i32::MIN),
                (json!("2147483647"), i32::MAX),
            ] {
                let Tile { x, y, size_x, size_y, .. } = tile(Some(&with(name, value.clone()))).unwrap();
                let sent = ["widget_x", "widget_y", "widget_size_x", "widget_size_y"]
                    .iter()
                    .position(|n| *n == name);
                assert_eq!([x, y, size_x, size_y][sent.unwrap()], number, "{value}");
            }
            for value in [
                json!(9.5),
                json!("9.5"),
                json!(true),
                json!(false),
                json!("x"),
                json!(""),
                json!([1]),
                json!({}),
            ] {
                assert_eq!(wrong(&with(name, value)), format!("{name}: A valid integer is required."));
            }
            for value in [json!(2_147_483_648_i64), json!("99999999999999999999"), json!(1e300)] {
                let text = "Ensure this value is less than or equal to 2147483647.";
                assert_eq!(wrong(&with(name, value)), format!("{name}: {text}"));
            }
            for value in [json!(-2_147_483_649_i64), json!("-99999999999999999999"), json!(-1e300)] {
                let text = "Ensure this value is greater than or equal to -2147483648.";
                assert_eq!(wrong(&with(name, value)), format!("{name}: {text}"));
            }
        }
    }

    #[test]
    fn an_id_is_read_with_and_without_dashes_and_under_both_names() {
        let expected = WidgetId(Uuid::from_u128(0x36c1_7420_2eee_40ef_a9ce_d38f_2a0a_6ec8));
        let (dashed, plain) = ("36c17420-2eee-40ef-a9ce-d38f2a0a6ec8", "36C174202EEE40EFA9CED38F2A0A6EC8");
        for argument in [
            json!({ "uuid": dashed }),
            json!({ "uuid": plain }),
            json!({ "widget_uuid": dashed }),
            json!({ "uuid": dashed, "widget_uuid": "nonsense" }),
            json!({ "uuid": null, "widget_uuid": plain }),
        ] {
            assert_eq!(which(Some(&argument)), Ok(expected), "{argument}");
        }
        for (argument, text) in [
            (json!({}), "uuid: This field is required."),
            (json!({ "uuid": null }), "uuid: This field may not be null."),
            (json!({ "widget_uuid": null }), "uuid: This field may not be null."),
            (json!({ "uuid": "" }), "uuid: Must be a valid UUID."),
            (json!({ "uuid": "36c17420" }), "uuid: Must be a valid UUID."),
            (json!({ "uuid": "36c174202eee40efa9ced38f2a0a6ecg" }), "uuid: Must be a valid UUID."),
            (json!({ "uuid": format!("{{{dashed}}}") }), "uuid: Must be a valid UUID."),
            (json!({ "uuid": 5 }), "uuid: Must be a valid UUID."),
            (json!({ "uuid": [dashed] }), "uuid: Must be a valid UUID."),
            (json!({ "uuid": "x", "widget_uuid": dashed }), "uuid: Must be a valid UUID."),
            (json!({ "widget_uuid": "x" }), "uuid: Must be a valid UUID."),
        ] {
            assert_eq!(which(Some(&argument)).unwrap_err(), text, "{argument}");
        }
    }
}
