//! No input gives a 5xx, a stack trace, a database message or a path: hostile values for every field, parameter and header
//! of every route of the OpenAPI document, on every database.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod judge;
mod values;

use std::path::Path;

use serde_json::{Map, Value, json};
use testkit::http::{self, Request};
use testkit::{Database, Server};

/// A running server, an account's access key, and what its document says.
struct Target {
    server: Server,
    key: String,
    schema: Value,
}

/// A way into the server.
struct Route {
    method: String,
    path: String,
    /// The names of the fields of its body.
    fields: Vec<String>,
}

impl Target {
    async fn on(database: &Database) -> Self {
        let binary = Path::new(env!("CARGO_BIN_EXE_tertulia"));
        let server = Server::start_new(binary, database, Vec::new()).unwrap();
        for name in ["alice", "bob"] {
            let made = server.cli(
                &["user", "add", name, "--email", "a@example.com", "--password-stdin"],
                "trellis-8842-quarry\n",
            );
            assert_eq!(made.unwrap().status, 0);
        }
        let key = server.cli(&["user", "key", "alice"], "").unwrap().output.trim().to_owned();
        let reply =
            http::send(server.address().unwrap(), &Request::new("GET", "/api/schema/")).await.unwrap();
        Self { server, key, schema: serde_json::from_slice(&reply.body).unwrap() }
    }

    /// Sends the request with alice's key, unless it has credentials, and judges the answer.
    async fn bears(&self, request: Request) -> u16 {
        let named = request.headers.iter().any(|(name, _)| name == "Authorization");
        let request =
            if named { request } else { request.header("Authorization", format!("Bearer {}", self.key)) };
        let shown = format!(
            "{} {} {:?} {}",
            request.method,
            String::from_utf8_lossy(&request.target).chars().take(200).collect::<String>(),
            request
                .headers
                .iter()
                .map(|(name, value)| format!(
                    "{name}: {}",
                    String::from_utf8_lossy(&value[..value.len().min(80)])
                ))
                .collect::<Vec<_>>(),
            String::from_utf8_lossy(&request.body[..request.body.len().min(300)])
        );
        let reply = http::send(self.server.address().unwrap(), &request)
            .await
            .unwrap_or_else(|fault| panic!("{shown}: {fault:#}"));
        let data_dir = self.server.data_dir().display().to_string();
        if let Some(fault) = judge::fault(&reply, &data_dir) {
            panic!("{shown}\n{fault}\n{}", self.server.log());
        }
        reply.status
    }

    fn routes(&self) -> Vec<Route> {
        let paths = self.schema["paths"].as_object().expect("the document has paths");
        let mut routes = Vec::new();
        for (path, item) in paths {
            for method in ["get", "post", "put", "patch", "delete"] {
                let Some(operation) = item.get(method) else { continue };
                let fields = self.fields(operation);
                routes.push(Route { method: method.to_uppercase(), path: path.clone(), fields });
            }
        }
        assert!(
            routes.iter().any(|route| route.method == "POST" && !route.fields.is_empty()),
            "no body is described"
        );
        routes
    }

    /// The fields of all media types of a request body.
    fn fields(&self, operation: &Value) -> Vec<String> {
        let content = operation.pointer("/requestBody/content").and_then(Value::as_object);
        let mut fields: Vec<String> = content
            .into_iter()
            .flat_map(Map::values)
            .flat_map(|media| self.properties(&media["schema"]))
            .collect();
        fields.sort();
        fields.dedup();
        fields
    }

    fn properties(&self, schema: &Value) -> Vec<String> {
        if let Some(reference) = schema["$ref"].as_str() {
            return self
                .schema
                .pointer(reference.trim_start_matches('#'))
                .map(|schema| self.properties(schema))
                .unwrap_or_default();
        }
        let own =
            schema["properties"].as_object().into_iter().flat_map(|properties| properties.keys().cloned());
        let parts = ["allOf", "oneOf", "anyOf"].iter().filter_map(|key| schema[key].as_array()).flatten();
        own.chain(parts.flat_map(|part| self.properties(part))).collect()
    }

    /// Afterwards the server is well, and has logged no internal error.
    async fn stays_well(self) {
        assert_eq!(self.bears(Request::new("GET", "/health/ready")).await, 200);
        let log = self.server.log();
        let bad = log.lines().find(|line| line.contains("panicked at") || line.contains(" ERROR "));
        assert_eq!(bad, None, "{log}");
    }
}

/// A route's path with `value` for each of its parameters.
fn filled(path: &str, value: &[u8]) -> Vec<u8> {
    let mut parts = path.split(['{', '}']);
    let mut target = parts.next().unwrap_or_default().as_bytes().to_vec();
    while let (Some(_), Some(after)) = (parts.next(), parts.next()) {
        target.extend_from_slice(value);
        target.extend_from_slice(after.as_bytes());
    }
    target
}

/// What a field holds while another one is hostile. Nobody can sign in with that, nor change a password.
fn harmless(fields: &[String]) -> Map<String, Value> {
    fields.iter().map(|field| (field.clone(), json!("harmless"))).collect()
}

#[tokio::test]
async fn every_field_bears_every_value() {
    for database in Database::all() {
        let target = Target::on(&database).await;
        for route in target.routes() {
            for field in &route.fields {
                for value in values::values() {
                    let mut body = harmless(&route.fields);
                    body.insert(field.clone(), value);
                    let request = Request::new(&route.method, filled(&route.path, b"1"));
                    target.bears(request.body("application/json", serde_json::to_vec(&body).unwrap())).await;
                }
                for value in values::raw_values() {
                    let body =
                        [b"{", serde_json::to_string(field).unwrap().as_bytes(), b":", &value, b"}"].concat();
                    let request = Request::new(&route.method, filled(&route.path, b"1"));
                    target.bears(request.body("application/json", body)).await;
                }
            }
        }
        target.stays_well().await;
    }
}

#[tokio::test]
async fn every_route_bears_every_body() {
    for database in Database::all() {
        let target = Target::on(&database).await;
        for route in target.routes().iter().filter(|route| route.method != "GET") {
            for (media_type, body) in values::bodies() {
                target
                    .bears(Request::new(&route.method, filled(&route.path, b"1")).body(media_type, body))
                    .await;
            }
        }
        target.stays_well().await;
    }
}

#[tokio::test]
async fn every_path_bears_every_segment_and_query() {
    for database in Database::all() {
        let target = Target::on(&database).await;
        for route in target.routes() {
            for segment in values::segments() {
                let name = String::from_utf8_lossy(&segment).into_owned();
                if route.path.contains('{') {
                    target.bears(Request::new(&route.method, filled(&route.path, &segment))).await;
                }
                let deeper = [filled(&route.path, b"1").as_slice(), segment.as_slice()].concat();
                assert_ne!(target.bears(Request::new("GET", deeper)).await, 101, "{name}");
                for key in ["limit", "before", "after", "search", "code", "state", "token"] {
                    let query = [
                        filled(&route.path, b"1").as_slice(),
                        b"?",
                        key.as_bytes(),
                        b"=",
                        segment.as_slice(),
                    ]
                    .concat();
                    if route.method == "GET" {
                        target.bears(Request::new("GET", query)).await;
                    }
                }
            }
        }
        for segment in values::segments() {
            target.bears(Request::new("GET", [b"/ws/chat/", segment.as_slice(), b"/"].concat())).await;
            target.bears(Request::new("GET", [b"/", segment.as_slice()].concat())).await;
        }
        target.stays_well().await;
    }
}

#[tokio::test]
async fn every_route_bears_every_header() {
    for database in Database::all() {
        let target = Target::on(&database).await;
        let names = [
            "Authorization",
            "Bearer",
            "Refresh",
            "Cookie",
            "Range",
            "If-None-Match",
            "If-Modified-Since",
            "Origin",
            "Accept",
            "Host",
            "X-Forwarded-For",
            "X-Forwarded-Proto",
            "X-Forwarded-Host",
            "Content-Encoding",
            "Upgrade",
            "Access-Control-Request-Method",
        ];
        for route in target.routes() {
            for name in names {
                for value in values::headers() {
                    let request = Request::new(&route.method, filled(&route.path, b"avatars/default.png"));
                    target.bears(request.header(name, value)).await;
                }
            }
        }
        target.stays_well().await;
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_413() {
    let target = Target::on(&Database::Sqlite).await;
    let text = "x".repeat(2 << 20);
    for route in target.routes().iter().filter(|route| route.method == "POST" && !route.fields.is_empty()) {
        let path = || filled(&route.path, b"1");
        let field = &route.fields[0];
        let json = json!({field: text}).to_string();
        assert_eq!(
            target.bears(Request::new("POST", path()).body("application/json", json)).await,
            413,
            "{}",
            route.path
        );
        let form = format!("{field}={text}");
        let form = Request::new("POST", path()).body("application/x-www-form-urlencoded", form);
        assert_eq!(target.bears(form).await, 413, "{}", route.path);
        let part = format!("--b\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"x\"\r\n\r\n");
        let upload = [part.as_bytes(), &vec![0; 11 << 20], b"\r\n--b--\r\n"].concat();
        let upload = Request::new("POST", path()).body("multipart/form-data; boundary=b", upload);
        assert_eq!(target.bears(upload).await, 413, "{}", route.path);
    }
    target.stays_well().await;
}

#[test]
fn parameters_are_filled_in() {
    assert_eq!(filled("/conversations/{id}/", b"%00"), b"/conversations/%00/");
    assert_eq!(filled("/media/{key}", b"7"), b"/media/7");
    assert_eq!(filled("/health/live", b"7"), b"/health/live");
}
