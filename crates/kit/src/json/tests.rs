use std::collections::BTreeMap;

use axum::http::StatusCode;
use http_body_util::BodyExt;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn written<T: Serialize + ?Sized>(value: &T) -> String {
    let mut text = Vec::new();
    writer::write(value, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

async fn answered(response: Response) -> (StatusCode, String, String) {
    let (parts, body) = response.into_parts();
    let kind = parts.headers[header::CONTENT_TYPE].to_str().unwrap().to_owned();
    let text = body.collect().await.unwrap().to_bytes();
    (parts.status, kind, String::from_utf8(text.to_vec()).unwrap())
}

#[tokio::test]
async fn an_answer_is_as_axum_writes_it() {
    let value = json!({ "name": "José \u{1F44B}", "text": "\"\\\n\u{1}", "list": [1, null, true, 2.5] });
    let ours = answered(Json(&value).into_response()).await;
    assert_eq!(ours, answered(axum::Json(&value).into_response()).await);
    assert_eq!(ours.0, StatusCode::OK);
}

#[tokio::test]
async fn what_is_no_json_is_an_internal_error() {
    let pairs = BTreeMap::from([((1, 2), 3)]);
    let (status, kind, text) = answered(Json(pairs).into_response()).await;
    assert_eq!((status, kind.as_str()), (StatusCode::INTERNAL_SERVER_ERROR, "application/json"));
    assert_eq!(text, r#"{"detail":"Internal server error."}"#);
}

#[derive(Serialize)]
enum Kind {
    Unit,
    Newtype(i8),
    Tuple(u16, ()),
    Struct { field: Option<char> },
}

#[derive(Serialize)]
struct Bare;

#[derive(Serialize)]
struct Pair(i32, f32);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Everything<'a> {
    kinds: Vec<Kind>,
    bare: Bare,
    pair: Pair,
    tuple: (bool, u8, &'a str),
    #[serde(flatten)]
    flat: BTreeMap<String, i64>,
    by_number: BTreeMap<i64, u64>,
    by_truth: BTreeMap<bool, f64>,
    by_letter: BTreeMap<char, i16>,
    huge: (i128, u128),
    empty: ([u8; 0], BTreeMap<u8, u8>),
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<u32>,
}

#[test]
fn every_kind_of_value_is_as_serde_json_writes_it() {
    let everything = Everything {
        kinds: vec![
            Kind::Unit,
            Kind::Newtype(i8::MIN),
            Kind::Tuple(u16::MAX, ()),
            Kind::Struct { field: Some('"') },
            Kind::Struct { field: None },
        ],
        bare: Bare,
        pair: Pair(i32::MIN, 0.1),
        tuple: (false, u8::MAX, "\u{7f}/\t"),
        flat: BTreeMap::from([("flat".to_owned(), i64::MIN), ("fl\"at".to_owned(), i64::MAX)]),
        by_number: BTreeMap::from([(-7, u64::MAX), (0, 0), (10, 100)]),
        by_truth: BTreeMap::from([(true, f64::NAN), (false, 1e300)]),
        by_letter: BTreeMap::from([('é', i16::MIN), ('\n', 0)]),
        huge: (i128::MIN, u128::MAX),
        empty: ([], BTreeMap::new()),
        missing: None,
    };
    assert_eq!(written(&everything), serde_json::to_string(&everything).unwrap());
}

#[test]
fn odd_keys_are_refused_as_by_serde_json() {
    for odd in [written_keys(&[Some(1)]), written_keys(&[None::<u8>]), written_keys(&[[1]])] {
        let (ours, theirs) = odd;
        assert_eq!(ours, theirs);
    }
}

/// Whether a map with such a key can be written: by us, and by `serde_json`.
fn written_keys<K: Serialize + Ord + Clone>(keys: &[K]) -> (bool, bool) {
    let map: BTreeMap<K, u8> = keys.iter().cloned().map(|key| (key, 0)).collect();
    (writer::write(&map, &mut Vec::new()).is_ok(), serde_json::to_string(&map).is_ok())
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[a-z\"\\\\\n\u{1}-\u{1f}é]{0,200}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..6)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn values_are_as_serde_json_writes_them(value in values()) {
        prop_assert_eq!(written(&value), value.to_string());
    }
}
