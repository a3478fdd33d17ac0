//! The format of transcripts: what is read, and that what is read means what it says.
#![allow(clippy::unwrap_used, clippy::format_collect)]

use proptest::prelude::*;
use serde_json::{Map, Value};
use tertulia_testkit::transcript::matcher::{compare, compare_text};
use tertulia_testkit::transcript::memory::Memory;
use tertulia_testkit::transcript::parser::parse;
use tertulia_testkit::transcript::pattern::Pattern;
use tertulia_testkit::transcript::text::{Text, to_bytes};

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i32>().prop_map(|eighths| Value::from(f64::from(eighths) / 8.0)),
        ".{0,12}".prop_map(Value::from),
        "[@$<>…a-z\\\\#. ]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((".{0,6}", inner), 0..6)
                .prop_map(|entries| Value::Object(entries.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// JSON as a transcript writes it when no letter of a string shall mean more than itself.
fn written(value: &Value) -> String {
    match value {
        Value::String(text) => {
            let escaped = text.encode_utf16().map(|unit| format!("\\u{unit:04x}"));
            format!("\"{}\"", escaped.collect::<String>())
        }
        Value::Array(items) => format!("[{}]", items.iter().map(written).collect::<Vec<_>>().join(", ")),
        Value::Object(entries) => {
            let entries = entries
                .iter()
                .map(|(key, value)| format!("{}: {}", written(&key.as_str().into()), written(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(",\n"))
        }
        other => other.to_string(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn json_matches_itself_and_is_sent_as_itself(value in json()) {
        let pattern = Pattern::of(&written(&value)).unwrap();
        prop_assert_eq!(compare(&pattern, &value, &mut Memory::default()), Ok(()));
        prop_assert_eq!(pattern.render(&Memory::default()).unwrap(), value);
    }

    #[test]
    fn json_matches_nothing_else(value in json(), other in json()) {
        prop_assume!(value != other);
        let pattern = Pattern::of(&written(&value)).unwrap();
        prop_assert!(compare(&pattern, &other, &mut Memory::default()).is_err());
    }

    #[test]
    fn a_variable_learns_any_value_and_then_matches_only_that(value in json(), other in json()) {
        prop_assume!(value != other);
        let pattern = Pattern::of("[\"$it\", \"$it\"]").unwrap();
        let mut memory = Memory::default();
        prop_assert!(compare(&pattern, &Value::from(vec![value.clone(), other]), &mut memory).is_err());
        prop_assert_eq!(memory.variable("it"), None, "a failed comparison teaches nothing");
        prop_assert_eq!(compare(&pattern, &Value::from(vec![value.clone(), value.clone()]), &mut memory), Ok(()));
        prop_assert_eq!(memory.variable("it"), Some(&value));
    }

    #[test]
    fn an_open_array_lets_more_items_in_anywhere(items in prop::collection::vec(json(), 0..5), before in prop::collection::vec(json(), 0..3), after in prop::collection::vec(json(), 0..3)) {
        let inner: Vec<_> = items.iter().map(written).collect();
        let source = format!("[{}]", [vec!["…".to_owned()], inner, vec!["…".to_owned()]].concat().join(","));
        let found: Vec<Value> = before.into_iter().chain(items).chain(after).collect();
        prop_assert_eq!(compare(&Pattern::of(&source).unwrap(), &found.into(), &mut Memory::default()), Ok(()));
    }

    #[test]
    fn an_escaped_line_is_its_own_bytes(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        let line: String = bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect();
        prop_assert_eq!(Text::of_line(&line).unwrap().render_bytes(&Memory::default()).unwrap(), bytes);
    }

    #[test]
    fn a_hole_learns_what_stands_there(before in "[a-z/]{0,8}", middle in "[0-9]{1,8}", after in "[a-z/]{0,8}") {
        let mut memory = Memory::default();
        let pattern = Text::of_line(&format!("{before}<int $n>{after}")).unwrap();
        let number: u64 = middle.parse().unwrap();
        prop_assert_eq!(compare_text(&pattern, &format!("{before}{number}{after}"), &mut memory), Ok(()));
        prop_assert_eq!(memory.variable_text("n"), Some(number.to_string()));
    }

    #[test]
    fn any_text_is_read_or_refused_but_never_panics(source in "[a-z0-9>@$<…|+&%{}\\[\\]\": \\n\\\\]{0,200}") {
        drop(parse("any.txt", &source));
        drop(Pattern::of(&source));
        drop(Text::of_line(&source));
    }
}

#[test]
fn private_letters_are_bytes_and_all_others_are_utf8() {
    let text = Text::of_line("é\\xc3\\n…").unwrap();
    assert!(text.render(&Memory::default()).is_err(), "an ellipsis cannot be sent");
    let text = Text::of_line("é\\xc3\\n\\…").unwrap();
    assert_eq!(
        to_bytes(&text.render(&Memory::default()).unwrap()),
        "é".bytes().chain([0xC3, b'\n']).chain("…".bytes()).collect::<Vec<_>>()
    );
}

#[test]
fn steps_end_at_blank_lines_and_where_the_next_begins() {
    let source = "# a title\n\nserve with --rotate --access-life 2s\nwith fortytwo\n\nalice> GET /a/\n< 200\n[\n  1]\nalice ws s> /ws/$c/\ns sends {\"a\":\n 1}\ns hears nothing\n3x bob#phone[token]> POST /b/$c/?q=1\n< 204\n";
    let transcript = parse("f", source).unwrap();
    assert_eq!(transcript.steps.iter().map(|step| step.line).collect::<Vec<_>>(), [6, 10, 11, 13, 14]);
    assert_eq!(transcript.steps[4].times, 3);
    assert_eq!(transcript.persons, ["alice", "bob"]);
    assert!(transcript.fortytwo);
    let lines = transcript.request_lines();
    assert_eq!(lines[1], ("WS".to_owned(), "/ws/*/".to_owned()));
    assert_eq!(lines[2], ("POST".to_owned(), "/b/*/".to_owned()));
}

#[test]
fn what_is_no_step_is_refused_with_its_line() {
    for (source, why) in [
        ("\nalice> GET /a/\n", "no < STATUS"),
        ("mallory> GET /a/\n< 200", "mallory is not one of the cast"),
        ("alice[pigeon]> GET /\n< 200", "pigeon"),
        ("alice> GET /\n{\"a\": }\n< 200", "no JSON value"),
        ("alice> GET /\n{}\n| x\n< 200", "one body"),
        ("alice> GET /\n< 200\n< nonsense", "neither a header nor a body"),
        ("hello there\n", "no step begins like this"),
    ] {
        let fault = format!("{:#}", parse("f", source).unwrap_err());
        assert!(fault.contains(why) && fault.contains("f:"), "{source}: {fault}");
    }
}

#[test]
fn every_transcript_of_the_dialects_can_be_read() {
    let crates = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for file in tertulia_testkit::transcript::runner::files(&crates).unwrap() {
        let transcript = parse(&file.display().to_string(), &std::fs::read_to_string(&file).unwrap());
        let steps = transcript.unwrap_or_else(|fault| panic!("{fault:#}")).steps;
        assert!(!steps.is_empty(), "{} does nothing", file.display());
    }
}
