//! Reading single values of a body, where the document has one sentence for whatever is wrong.

use kit::body::Content;
use serde_json::Value;
use uuid::Uuid;

/// The value of `name`; null and `""` are the same as none (common.md, HTTP).
pub(crate) fn sent<'b>(body: &'b Content, name: &str) -> Option<&'b Value> {
    body.value(name).filter(|value| !value.is_null() && *value != "")
}

/// A UUID as text, in any of its usual forms.
pub(crate) fn uuid_of(value: &Value) -> Option<Uuid> {
    Uuid::parse_str(value.as_str()?).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn null_and_empty_are_the_same_as_nothing() {
        let body = Content::of_json(json!({ "a": null, "b": "", "c": 0, "d": "x" }));
        for (name, found) in [("a", false), ("b", false), ("c", true), ("d", true), ("e", false)] {
            assert_eq!(sent(&body, name).is_some(), found, "{name}");
        }
        assert!(sent(&Content::of_json(json!([{ "d": "x" }])), "d").is_none());
    }

    #[test]
    fn only_text_is_a_uuid() {
        assert!(uuid_of(&json!("72c6e582-ded6-5248-a853-07e9784c509e")).is_some());
        for bad in [json!("72c6e582"), json!(7), json!(["72c6e582-ded6-5248-a853-07e9784c509e"]), json!(null)]
        {
            assert!(uuid_of(&bad).is_none(), "{bad}");
        }
    }
}
