//! What the API document says about all endpoints together.

use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, LicenseBuilder, OpenApi, Ref, RefOr, Response,
    ResponseBuilder,
    path::{Operation, PathItem},
    security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme},
};

const DESCRIPTION: &str = "\
Every path works with and without its trailing slash. Every body is taken as JSON, as a form or as multipart. \
An unknown path is 404 and a wrong method 405, signed in or not; both with `{\"detail\": \"…\"}`, 405 with `Allow`.";

/// Refusals that endpoints have in common: the name of the component, the status, what it means.
const SHARED: [(&str, &str, &str); 5] = [
    ("Unauthorized", "401", "No credentials, or none that are good; with `WWW-Authenticate`."),
    ("MethodNotAllowed", "405", "The path does not take this method; with `Allow`."),
    ("TooLarge", "413", "The body is beyond the limit."),
    ("UnsupportedMediaType", "415", "The body is neither JSON nor a form nor multipart."),
    ("Throttled", "429", "Too often; `Retry-After` tells the seconds to wait."),
];

/// Adds what the routes do not say themselves: title, credentials, shared refusals.
pub(super) fn complete(document: &mut OpenApi) {
    document.info = InfoBuilder::new()
        .title("Tertulia")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .license(Some(LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build()))
        .build();
    document.security = Some(["bearer", "token"].map(needs).to_vec());
    let mut components = document.components.take().unwrap_or_else(|| ComponentsBuilder::new().build());
    components.add_security_scheme("bearer", bearer());
    components.add_security_scheme("token", token());
    for (name, _, meaning) in SHARED {
        components.responses.insert(name.to_owned(), RefOr::T(refusal(meaning)));
    }
    document.components = Some(components);
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            operation.operation_id = Some(id_of(method, path));
            refuse(operation);
        }
    }
}

/// A name that no other operation of the document has: `get_conversations_id` for `GET /conversations/{id}/`.
fn id_of(method: &str, path: &str) -> String {
    let words = path.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let words = words.filter(|word| !word.is_empty());
    std::iter::once(method).chain(words).collect::<Vec<_>>().join("_")
}

fn needs(scheme: &str) -> SecurityRequirement {
    SecurityRequirement::new::<_, [&str; 0], &str>(scheme, [])
}

fn bearer() -> SecurityScheme {
    let mut scheme = Http::new(HttpAuthScheme::Bearer);
    scheme.bearer_format = Some("JWT".to_owned());
    scheme.description = Some("An access token; an opaque token or access key, too.".to_owned());
    SecurityScheme::Http(scheme)
}

fn token() -> SecurityScheme {
    let how = "`Token` and an opaque token or access key: `Token 0123…`.";
    SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description("Authorization", how)))
}

fn refusal(meaning: &str) -> Response {
    let content = ContentBuilder::new().example(Some(serde_json::json!({ "detail": "…" }))).build();
    ResponseBuilder::new().description(meaning).content("application/json", content).build()
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let all = [
        ("get", &mut item.get),
        ("put", &mut item.put),
        ("post", &mut item.post),
        ("delete", &mut item.delete),
        ("patch", &mut item.patch),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// Adds the refusals that this operation can give, and does not describe itself.
fn refuse(operation: &mut Operation) {
    let is_open = operation.security.is_some();
    let takes_body = operation.request_body.is_some();
    for (name, status, _) in SHARED {
        let applies = match status {
            "401" => !is_open,
            "405" => true,
            "413" | "415" | "429" => takes_body,
            _ => false,
        };
        if applies {
            let shared = || Ref::from_response_name(name).into();
            operation.responses.responses.entry(status.to_owned()).or_insert_with(shared);
        }
    }
}
