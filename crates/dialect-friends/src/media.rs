//! Files in JSON: `[{"<name>": "<base64>"}, …]`.

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use domain::messages::{File, MAX_FILES};
use serde_json::Value;

/// Base64 as clients write it: with or without its padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What is said of media in another form.
const SHAPE: &str = "\"media\" must be an array of objects, each of one file name and its base64.";

/// The files of a `media` value, or what is wrong with it. None and null are no files.
pub(crate) fn files(media: Option<&Value>) -> Result<Vec<File>, &'static str> {
    let items = match media {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(items)) => items,
        Some(_) => return Err(SHAPE),
    };
    // Before anything is decoded; the sizes are judged where the message is.
    if items.len() > MAX_FILES {
        return Err("There are more than 10 files.");
    }
    items.iter().map(file).collect()
}

fn file(item: &Value) -> Result<File, &'static str> {
    const NO_BASE64: &str = "A file of \"media\" is not base64.";
    let item = item.as_object().filter(|item| item.len() == 1).ok_or(SHAPE)?;
    let (label, data) = item.iter().next().ok_or(SHAPE)?;
    let data = data.as_str().ok_or(SHAPE)?;
    let data = match data.strip_prefix("data:") {
        Some(uri) => uri.split_once(',').ok_or(NO_BASE64)?.1,
        None => data,
    };
    let bytes = BASE64.decode(data.trim()).map_err(|_| NO_BASE64)?;
    Ok(File { label: label.clone(), bytes: bytes.into() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_file_is_a_name_and_base64_with_or_without_padding_and_prefix() {
        for data in ["aGk=", "aGk", "data:image/png;base64,aGk=", " aGk=\n"] {
            let found = files(Some(&json!([{ "../hi.png": data }, { "b": "" }]))).unwrap();
            assert_eq!((found[0].label.as_str(), &found[0].bytes[..]), ("../hi.png", &b"hi"[..]), "{data}");
            assert_eq!(found[1].bytes.len(), 0);
        }
        assert!(files(None).unwrap().is_empty());
        assert!(files(Some(&json!(null))).unwrap().is_empty());
        assert!(files(Some(&json!([]))).unwrap().is_empty());
    }

    #[test]
    fn all_else_is_refused() {
        for bad in [
            json!("aGk="),
            json!({ "a.png": "aGk=" }),
            json!(["aGk="]),
            json!([{}]),
            json!([{ "a": "aGk=", "b": "aGk=" }]),
            json!([{ "a": 5 }]),
            json!([{ "a": null }]),
            json!([null]),
        ] {
            assert_eq!(files(Some(&bad)).unwrap_err(), SHAPE, "{bad}");
        }
        for bad in ["a!", "data:x", "aGk=aGk="] {
            assert!(files(Some(&json!([{ "a": bad }]))).is_err(), "{bad}");
        }
    }

    #[test]
    fn ten_files_and_no_more() {
        let many = |n: usize| json!(vec![json!({ "a": "aGk=" }); n]);
        assert_eq!(files(Some(&many(MAX_FILES))).unwrap().len(), 10);
        assert_eq!(files(Some(&many(MAX_FILES + 1))).unwrap_err(), "There are more than 10 files.");
    }
}
