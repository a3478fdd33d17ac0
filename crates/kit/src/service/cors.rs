//! Cross-origin requests (Fetch Standard, "HTTP-CORS protocol").

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::response::Response;
use tower::{Layer, Service, ServiceExt};
use tower_http::cors::{AllowOrigin, CorsLayer};

/// Which web pages may call the server from a browser.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Origins {
    /// All.
    Any,
    /// Those of these origins, each as `scheme://host[:port]`. One that is no header value is never met.
    Listed(Vec<String>),
}

/// The routes with CORS around them. Credentials (cookies) are allowed on Socket.IO alone, whose old clients
/// ask with them; nothing there is authorised by a cookie.
#[derive(Clone)]
pub(super) struct Cors<S> {
    api: tower_http::cors::Cors<S>,
    socket_io: tower_http::cors::Cors<S>,
    bare: S,
}

impl<S: Clone> Cors<S> {
    pub(super) fn new(routes: S, origins: &Origins) -> Self {
        let (api, socket_io) = match origins {
            Origins::Any => (AllowOrigin::any(), AllowOrigin::mirror_request()),
            Origins::Listed(list) => {
                let list = list.iter().filter(|origin| *origin != "*");
                let list: Vec<_> = list.filter_map(|origin| HeaderValue::try_from(origin).ok()).collect();
                (AllowOrigin::list(list.clone()), AllowOrigin::list(list))
            }
        };
        let varying = matches!(origins, Origins::Listed(_));
        Self {
            api: layer(varying).allow_origin(api).layer(routes.clone()),
            socket_io: layer(true).allow_origin(socket_io).allow_credentials(true).layer(routes.clone()),
            bare: routes,
        }
    }
}

impl<S> Cors<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
{
    pub(super) async fn answer(self, request: Request) -> Response {
        // The layer takes every OPTIONS for a preflight; the routes shall answer the others.
        let preflight = request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        let answer = if request.method() == Method::OPTIONS && !preflight {
            self.bare.oneshot(request).await
        } else if request.uri().path().starts_with("/socket.io") {
            self.socket_io.oneshot(request).await
        } else {
            self.api.oneshot(request).await
        };
        match answer {
            Ok(response) => response,
        }
    }
}

fn layer(varying: bool) -> CorsLayer {
    let layer = CorsLayer::new()
        .allow_methods([
            Method::GET,
            Method::HEAD,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
            Method::OPTIONS,
        ])
        .allow_headers([
            header::ACCEPT,
            header::AUTHORIZATION,
            HeaderName::from_static("bearer"),
            HeaderName::from_static("refresh"),
            header::CACHE_CONTROL,
            header::CONTENT_TYPE,
            header::IF_MODIFIED_SINCE,
            header::IF_NONE_MATCH,
            header::ORIGIN,
            header::RANGE,
            header::USER_AGENT,
            HeaderName::from_static("x-csrftoken"),
            HeaderName::from_static("x-requested-with"),
        ])
        .expose_headers([
            header::CONTENT_DISPOSITION,
            header::CONTENT_RANGE,
            header::LINK,
            header::RETRY_AFTER,
            header::WWW_AUTHENTICATE,
        ])
        .max_age(Duration::from_hours(1));
    if varying { layer.vary([header::ORIGIN]) } else { layer.vary([]) }
}
