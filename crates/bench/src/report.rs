//! The figures, as Markdown and as JSON.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

/// One row of figures; its names are the heads of the columns, with their units.
#[derive(Clone, Default)]
pub(crate) struct Row(Map<String, Value>);

impl Row {
    /// A row that begins with where it was measured.
    pub(crate) fn on(database: &str) -> Self {
        Self::default().with("database", database)
    }

    /// Adds a figure.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// A figure that is a number.
    pub(crate) fn number(&self, name: &str) -> Option<f64> {
        self.0.get(name)?.as_f64()
    }

    /// A figure that is a text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }
}

/// Everything that one run has measured.
pub(crate) struct Report {
    subject: &'static str,
    facts: Map<String, Value>,
    tables: Vec<Table>,
    /// What only programs are told.
    details: Map<String, Value>,
}

struct Table {
    title: String,
    rows: Vec<Row>,
}

impl Report {
    /// An empty one.
    pub(crate) fn new(subject: &'static str) -> Self {
        Self { subject, facts: Map::new(), tables: Vec::new(), details: Map::new() }
    }

    /// Notes something about the machine or the settings.
    pub(crate) fn fact(&mut self, name: &str, value: impl Into<Value>) {
        self.facts.insert(name.to_owned(), value.into());
    }

    /// Adds something to the JSON alone.
    pub(crate) fn detail(&mut self, name: &str, value: Value) {
        self.details.insert(name.to_owned(), value);
    }

    /// What was noted about the machine or the settings.
    pub(crate) fn noted(&self, name: &str) -> Option<&Value> {
        self.facts.get(name)
    }

    /// Adds rows to the table of this title.
    pub(crate) fn add(&mut self, title: &str, rows: Vec<Row>) {
        match self.tables.iter_mut().find(|table| table.title == title) {
            Some(table) => table.rows.extend(rows),
            None => self.tables.push(Table { title: title.to_owned(), rows }),
        }
    }

    /// All of it, for people.
    pub(crate) fn markdown(&self) -> String {
        let mut text = format!("# {}\n\n| | |\n|---|---|\n", self.subject);
        for (name, value) in &self.facts {
            let _ = writeln!(text, "| {name} | {} |", shown(value));
        }
        for table in self.tables.iter().filter(|table| !table.rows.is_empty()) {
            let _ = write!(text, "\n## {}\n\n", table.title);
            table.write(&mut text);
        }
        text
    }

    /// All of it, for programs: numbers are not rounded.
    pub(crate) fn json(&self) -> Value {
        let tables: Map<String, Value> = self
            .tables
            .iter()
            .map(|table| (table.title.clone(), table.rows.iter().map(|row| json!(row.0)).collect()))
            .collect();
        let mut all = json!({ "subject": self.subject, "facts": self.facts, "cases": tables });
        if let Value::Object(all) = &mut all {
            all.extend(self.details.clone());
        }
        all
    }
}

impl Table {
    fn write(&self, text: &mut String) {
        let mut names: Vec<&str> = Vec::new();
        for name in self.rows.iter().flat_map(|row| row.0.keys()) {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        let _ = writeln!(text, "| {} |", names.join(" | "));
        let _ = writeln!(text, "|{}", "---|".repeat(names.len()));
        for row in &self.rows {
            let cells: Vec<String> =
                names.iter().map(|name| row.0.get(*name).map_or_else(String::new, shown)).collect();
            let _ = writeln!(text, "| {} |", cells.join(" | "));
        }
    }
}

/// A value with three digits or so; thousands are set apart.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => {
            let number = number.as_f64().unwrap_or_default();
            match number.abs() {
                size if size >= 100.0 => grouped(&format!("{number:.0}")),
                size if size >= 10.0 => format!("{number:.1}"),
                _ => format!("{number:.2}"),
            }
        }
        other => grouped(&other.to_string()),
    }
}

fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) && !text.ends_with('-') {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (value, text) in [
            (json!(1_234_567), "1,234,567"),
            (json!(15_000.4), "15,000"),
            (json!(42.06), "42.1"),
            (json!(3.0), "3.00"),
            (json!(-123_456), "-123,456"),
            (json!("sqlite"), "sqlite"),
            (json!(null), ""),
        ] {
            assert_eq!(shown(&value), text);
        }
    }

    #[test]
    fn rows_of_one_title_make_one_table() {
        let mut report = Report::new("x");
        report.fact("cores", 2);
        report.add("sends", vec![Row::on("sqlite").with("messages/s", 1500.0)]);
        report.add("sends", vec![Row::on("postgres").with("messages/s", 900.0)]);
        let text = report.markdown();
        assert!(text.contains("| cores | 2 |"), "{text}");
        assert!(
            text.contains("| database | messages/s |\n|---|---|\n| sqlite | 1,500 |\n| postgres | 900 |\n"),
            "{text}"
        );
        assert_eq!(report.json()["cases"]["sends"][1]["messages/s"], 900.0);
    }
}
