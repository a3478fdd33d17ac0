//! `tertulia.toml`.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

/// The file that is read when no other is named and it is there.
const USUAL: &str = "tertulia.toml";

/// A settings file: keys as flags are called, and their values as flags take them.
#[derive(Debug)]
pub(super) struct SettingsFile {
    /// What errors call it.
    pub(super) name: String,
    /// Sorted by key.
    pub(super) values: Vec<(String, Vec<String>)>,
}

/// Reads the file that was `named`, which has to be there, or else the usual one of `folder`, which may be missing.
pub(super) fn read(folder: &Path, named: Option<PathBuf>) -> Result<Option<SettingsFile>, String> {
    let (path, optional) = match named {
        Some(path) => (path, false),
        None => (folder.join(USUAL), true),
    };
    let name = if optional { USUAL.to_owned() } else { path.display().to_string() };
    match std::fs::read_to_string(&path) {
        Ok(text) => parse(name, &text).map(Some),
        Err(fault) if optional && fault.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(fault) => Err(format!("cannot read the settings file {name}: {fault}")),
    }
}

fn parse(name: String, text: &str) -> Result<SettingsFile, String> {
    let table: Table = text.parse().map_err(|fault| format!("{name}: {}", clean(&fault)))?;
    let mut values: Vec<(String, Vec<String>)> = Vec::new();
    for (key, value) in table {
        let texts = texts(&value).map_err(|why| format!("{name}: {key}: {why}"))?;
        let key = key.replace('_', "-");
        if values.iter().any(|(known, _)| *known == key) {
            return Err(format!("{name}: {key} is there twice, with - and with _"));
        }
        values.push((key, texts));
    }
    Ok(SettingsFile { name, values })
}

/// TOML's complaint, with the line, without what stands on it: that may be a secret.
fn clean(fault: &toml::de::Error) -> String {
    let shown = fault.to_string();
    let line = shown.lines().next().unwrap_or_default();
    format!("{}: {}", line.trim_end_matches(':'), fault.message())
}

fn texts(value: &Value) -> Result<Vec<String>, String> {
    match value {
        Value::Array(values) => values.iter().map(text).collect(),
        value => text(value).map(|text| vec![text]),
    }
}

fn text(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Integer(number) => Ok(number.to_string()),
        Value::Boolean(truth) => Ok(truth.to_string()),
        Value::Table(_) => Err("settings stand at the top, not in tables".to_owned()),
        Value::Array(_) => Err("a list in a list".to_owned()),
        Value::Float(_) | Value::Datetime(_) => {
            Err("write a text in quotes, a whole number, true or false".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<SettingsFile, String> {
        parse("tertulia.toml".to_owned(), text)
    }

    #[test]
    fn values_are_as_flags_take_them() {
        let file = parsed("rotate = true\nmax_body = 1024\ntrusted-proxy = ['::1', '10.0.0.0/8']").unwrap();
        let values: Vec<(&str, Vec<&str>)> = file
            .values
            .iter()
            .map(|(key, texts)| (key.as_str(), texts.iter().map(String::as_str).collect()))
            .collect();
        assert_eq!(
            values,
            [
                ("max-body", vec!["1024"]),
                ("rotate", vec!["true"]),
                ("trusted-proxy", vec!["::1", "10.0.0.0/8"])
            ]
        );
    }

    #[test]
    fn mistakes_are_told_with_the_files_name_and_without_secrets() {
        for text in
            ["[limits]\nmax-body = 1", "max-body = 1.5", "max-body = 1\nmax_body = 2", "log = [['info']]"]
        {
            let said = parsed(text).unwrap_err();
            assert!(said.starts_with("tertulia.toml: "), "{said}");
        }
        let said = parsed("\nsecret-key = hunter2hunter2").unwrap_err();
        assert!(said.contains("line 2") && !said.contains("hunter2"), "{said}");
    }

    #[test]
    fn only_a_file_that_was_named_has_to_be_there() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read(folder.path(), None).unwrap().is_none());
        let said = read(folder.path(), Some("missing.toml".into())).unwrap_err();
        assert!(said.contains("missing.toml"));
        std::fs::write(folder.path().join(USUAL), "log = 'debug'").unwrap();
        assert_eq!(read(folder.path(), None).unwrap().unwrap().values.len(), 1);
    }
}
