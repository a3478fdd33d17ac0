use domain::{Field, Rule};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Fields, text_of};
use crate::body::{Content, Upload};

fn content(document: Value) -> Content {
    Content::of_json(document)
}

fn form(pairs: &[(&str, &str)]) -> Content {
    let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), json!(value)));
    Content::of_form(pairs.collect(), Vec::new())
}

fn upload(field: &str, bytes: &'static [u8]) -> Upload {
    Upload { field: field.to_owned(), file_name: "f".to_owned(), content_type: None, bytes: bytes.into() }
}

/// What is wrong once `read` has read.
fn wrong(content: &Content, read: impl FnOnce(&mut Fields<'_>)) -> Value {
    let mut fields = Fields::of(content);
    read(&mut fields);
    fields.done().map_or_else(|reply| reply.body, |()| json!({}))
}

#[test]
fn all_errors_come_at_once_in_the_order_of_the_reading() {
    let content = content(json!({"email": "x", "age": "1.5"}));
    let errors = wrong(&content, |fields| {
        fields.text("username").read();
        fields.email("email").read();
        fields.integer("age").read();
        fields.problem("username", &Rule::Charset);
    });
    assert_eq!(
        errors.to_string(),
        json!({
            "username": ["This field is required.", text_of(&Rule::Charset)],
            "email": ["Enter a valid email address."],
            "age": ["A valid integer is required."],
        })
        .to_string()
    );
}

#[test]
fn good_values_are_given_out() {
    let content = content(json!({"a": " x ", "b": 12, "c": 1.5, "p": " x ", "n": "7", "t": "True", "e": ""}));
    let mut fields = Fields::of(&content);
    assert_eq!(fields.text("a").max(1).read(), "x");
    assert_eq!(fields.text("b").read(), "12");
    assert_eq!(fields.text("c").read(), "1.5");
    assert_eq!(fields.text("p").verbatim().read(), " x ");
    assert_eq!(fields.text("e").may_be_blank().read(), "");
    assert_eq!(fields.text("none").optional(), None);
    assert_eq!(fields.integer("n").min(7).max(7).read(), 7);
    assert_eq!(fields.integer("none").optional(), None);
    assert!(fields.boolean("t").read());
    assert_eq!(fields.boolean("none").optional(), None);
    assert_eq!(fields.value("b"), Some(&json!(12)));
    assert!(fields.has("b") && !fields.has("none"));
    assert!(fields.are_good());
    fields.done().unwrap();
}

#[test]
fn texts_are_refused_in_djangos_words() {
    for (value, text) in [
        (json!(null), "This field may not be null."),
        (json!(""), "This field may not be blank."),
        (json!(" \n"), "This field may not be blank."),
        (json!(true), "Not a valid string."),
        (json!([]), "Not a valid string."),
        (json!({}), "Not a valid string."),
        (json!("12345"), "Ensure this field has no more than 4 characters."),
        (json!("a\0"), "Null characters are not allowed."),
    ] {
        let content = content(json!({"f": value}));
        let expected = json!({"f": [text]});
        assert_eq!(wrong(&content, |fields| drop(fields.text("f").max(4).read())), expected);
        assert_eq!(wrong(&content, |fields| drop(fields.text("f").max(4).optional())), expected);
    }
    assert_eq!(
        wrong(&content(json!({"f": "éééé"})), |fields| drop(fields.text("f").max(4).read())),
        json!({})
    );
    assert_eq!(
        wrong(&content(json!({"f": "12345\0"})), |fields| drop(fields.text("f").max(4).read())),
        json!({"f": ["Ensure this field has no more than 4 characters.", "Null characters are not allowed."]})
    );
}

#[test]
fn an_empty_form_value_is_none_where_none_is_needed() {
    let content = form(&[("f", "")]);
    let mut fields = Fields::of(&content);
    assert_eq!(fields.text("f").optional(), None);
    assert_eq!(fields.text("f").may_be_blank().optional().as_deref(), Some(""));
    assert_eq!(fields.integer("f").optional(), None);
    assert_eq!(fields.boolean("f").optional(), None);
    assert_eq!(fields.optional_file("f"), None);
    fields.done().unwrap();
    fields.text("f").read();
    assert_eq!(fields.done().unwrap_err().body, json!({"f": ["This field may not be blank."]}));
}

#[test]
fn null_and_empty_can_be_the_same_as_missing() {
    let content = content(json!({"a": null, "b": ""}));
    let mut fields = Fields::of(&content).empty_is_missing();
    assert_eq!(fields.text("a").optional(), None);
    assert_eq!(fields.integer("b").optional(), None);
    fields.text("a").read();
    fields.text("b").read();
    let required = "This field is required.";
    assert_eq!(fields.done().unwrap_err().body, json!({"a": [required], "b": [required]}));
}

#[test]
fn integers_are_numbers_or_digits() {
    let read = |value: Value| {
        let content = content(json!({"n": value}));
        let mut fields = Fields::of(&content);
        let number = fields.integer("n").read();
        fields.done().map(|()| number).map_err(|reply| reply.body["n"][0].as_str().unwrap().to_owned())
    };
    for (value, number) in [
        (json!(5), 5),
        (json!(5.0), 5),
        (json!(" -5 "), -5),
        (json!("+5.00"), 5),
        (json!("007"), 7),
        (json!(i64::MIN), i64::MIN),
        (json!("9223372036854775807"), i64::MAX),
    ] {
        assert_eq!(read(value), Ok(number));
    }
    for value in [
        json!("x"),
        json!(""),
        json!("5 5"),
        json!("1.5"),
        json!(1.5),
        json!(true),
        json!([]),
        json!("١"),
        json!("-"),
        json!("12345678901234567890"),
        json!(12_345_678_901_234_567_890_u64),
        json!(1e300),
        json!("1".repeat(1001)),
    ] {
        assert_eq!(read(value), Err("A valid integer is required.".to_owned()));
    }
}

#[test]
fn integers_keep_their_bounds() {
    let content = content(json!({"small": 0, "large": "99999999999999999999999999999999999999999999"}));
    let errors = wrong(&content, |fields| {
        fields.integer("small").min(1).read();
        fields.integer("large").max(10).read();
    });
    assert_eq!(
        errors,
        json!({
            "small": ["Ensure this value is greater than or equal to 1."],
            "large": ["Ensure this value is less than or equal to 10."],
        })
    );
}

#[test]
fn booleans_are_read_in_their_spellings_and_repeated_when_wrong() {
    for (truth, spellings) in [
        (true, [json!(true), json!(1), json!("true"), json!("1"), json!("True"), json!("t")]),
        (false, [json!(false), json!(0), json!("false"), json!("0"), json!("False"), json!("f")]),
    ] {
        for spelling in spellings {
            let content = content(json!({"b": spelling}));
            let mut fields = Fields::of(&content);
            assert_eq!(fields.boolean("b").optional(), Some(truth), "{spelling}");
        }
    }
    for (value, shown) in [(json!("maybe"), "maybe"), (json!(2), "2"), (json!([1]), "[1]"), (json!(""), "")] {
        let content = content(json!({"b": value}));
        let expected = json!({"b": [format!("\"{shown}\" is not a valid boolean.")]});
        assert_eq!(wrong(&content, |fields| assert_eq!(fields.boolean("b").optional(), None)), expected);
    }
    let long = content(json!({"b": "é".repeat(100_000)}));
    let text = wrong(&long, |fields| assert_eq!(fields.boolean("b").optional(), None)).to_string();
    assert!(text.chars().count() < 250);
}

#[test]
fn files_must_be_files_with_something_in_them() {
    let files = vec![upload("good", b"x"), upload("empty", b"")];
    let content = Content::of_form(vec![("string".to_owned(), json!("x"))], files);
    let mut fields = Fields::of(&content);
    assert_eq!(&fields.file("good").unwrap().bytes[..], b"x");
    assert!(fields.optional_file("missing").is_none());
    fields.done().unwrap();
    for name in ["empty", "string", "missing"] {
        assert!(fields.file(name).is_none());
    }
    assert_eq!(
        fields.done().unwrap_err().body,
        json!({
            "empty": ["The submitted file is empty."],
            "string": ["The submitted data was not a file. Check the encoding type on the form."],
            "missing": ["This field is required."],
        })
    );
    let json = Content::of_json(json!({"f": null}));
    assert_eq!(wrong(&json, |fields| drop(fields.file("f"))), json!({"f": ["This field may not be null."]}));
    assert_eq!(wrong(&json, |fields| drop(fields.optional_file("f"))), json!({}));
}

#[test]
fn a_body_that_is_no_object_is_the_only_error() {
    for (document, kind) in [
        (json!([]), "list"),
        (json!("x"), "str"),
        (json!(1), "int"),
        (json!(1.5), "float"),
        (json!(true), "bool"),
        (json!(null), "NoneType"),
    ] {
        let errors = wrong(&content(document), |fields| {
            fields.text("a").read();
            fields.error("a", "more");
        });
        let text = format!("Invalid data. Expected a dictionary, but got {kind}.");
        assert_eq!(errors, json!({"non_field_errors": [text]}));
    }
}

#[test]
fn queries_are_read_like_forms() {
    let mut fields = Fields::of_query("limit=10&search=a%20b+c&limit=20&before=");
    assert_eq!(fields.integer("limit").min(1).optional(), Some(20));
    assert_eq!(fields.text("search").read(), "a b c");
    assert_eq!(fields.integer("before").optional(), None);
    fields.done().unwrap();
}

#[test]
fn rules_speak_as_django_does() {
    for (rule, text) in [
        (Rule::Taken, "A user with that username already exists."),
        (Rule::TooShort(8), "This password is too short. It must contain at least 8 characters."),
        (Rule::Similar(Field::Username), "The password is too similar to the username."),
        (Rule::Similar(Field::Email), "The password is too similar to the email address."),
        (
            Rule::NotAnImage,
            "Upload a valid image. The file you uploaded was either not an image or a corrupted image.",
        ),
        (
            Rule::Charset,
            "Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters.",
        ),
        (Rule::TooLong(150), "Ensure this field has no more than 150 characters."),
    ] {
        assert_eq!(text_of(&rule), text);
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
        "[-+0-9.e \0]{0,30}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 20, 5, |inner| prop::collection::vec(inner, 0..5).prop_map(Value::from))
}

proptest! {
    #[test]
    fn every_value_is_read_or_refused(value in any_json()) {
        let content = Content::of_json(json!({"f": value}));
        let mut fields = Fields::of(&content);
        let text = fields.text("f").max(5).optional();
        prop_assert_eq!(text.is_some(), fields.done().is_ok());
        let email = fields.email("f").optional();
        prop_assert_eq!(email.is_some(), fields.done().is_ok());
        let number = fields.integer("f").max(100).optional();
        prop_assert_eq!(number.is_some(), fields.done().is_ok());
        let truth = fields.boolean("f").optional();
        prop_assert_eq!(truth.is_some(), fields.done().is_ok());
        if let Some(text) = text {
            prop_assert!(text.chars().count() <= 5 && !text.contains('\0') && text.trim() == text);
        }
    }

    #[test]
    fn what_is_put_into_a_query_comes_out(value in "\\PC*", noise in "[&=+%;a-z0-9]*") {
        let encoded: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
        let query = format!("{noise}&a={encoded}");
        let mut fields = Fields::of_query(&query);
        prop_assert_eq!(fields.text("a").verbatim().may_be_blank().read(), value);
        prop_assert!(fields.done().is_ok());
    }
}
