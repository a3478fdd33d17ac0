//! Where a request came from and what the server is called: absolute URLs and the client's address.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use ipnet::IpNet;

use crate::listen::{Local, Peer};
use crate::reply::Reply;

/// What stands between the clients and this process. Put an `Arc` of it into the requests' extensions.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Edge {
    /// The address that absolute URLs are built from, as `scheme://host[:port]`; a path in it is kept.
    pub public_url: Option<Arc<str>>,
    /// The networks whose `X-Forwarded-For`, `-Proto` and `-Host` count. Nobody's do when it is empty.
    pub trusted: Vec<IpNet>,
}

impl Edge {
    /// Whether `address` is a proxy of ours. An IPv4 address mapped into IPv6 is taken as IPv4.
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.trusted.iter().any(|network| network.contains(&address))
    }

    fn of(parts: &Parts) -> Arc<Self> {
        parts.extensions.get::<Arc<Self>>().cloned().unwrap_or_default()
    }
}

/// The start of absolute URLs, `scheme://host[:port]`, without a slash at the end.
///
/// From the public URL of the settings, or else from the request: its `Host`, and, when the peer is a trusted
/// proxy, `X-Forwarded-Host` and `X-Forwarded-Proto` (of a list the last entry, which the nearest proxy wrote).
/// Without any `Host` the listener's address. Rejected with 400 when the host is no plain `host[:port]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BaseUrl(pub Arc<str>);

/// The address of the client: the peer's, or, when the peer is a trusted proxy, the rightmost entry of
/// `X-Forwarded-For` that is no trusted proxy. Never an IPv4 address mapped into IPv6; `0.0.0.0` when the peer
/// is not known.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ClientAddress(pub IpAddr);

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

impl BaseUrl {
    /// The same as the extractor, for code that holds the parts of a request.
    pub fn of(parts: &Parts) -> Result<Self, Reply> {
        let edge = Edge::of(parts);
        if let Some(url) = &edge.public_url {
            return Ok(Self(url.trim_end_matches('/').into()));
        }
        let proxied = peer(parts).is_some_and(|address| edge.trusts(address));
        let scheme = match proxied.then(|| last_entry(&parts.headers, &FORWARDED_PROTO)).flatten() {
            Some(scheme) if scheme.eq_ignore_ascii_case("https") => "https",
            _ => "http",
        };
        let named = proxied.then(|| last_entry(&parts.headers, &FORWARDED_HOST)).flatten();
        let host = named.or_else(|| sent_host(parts));
        let Some(host) = host else {
            let local =
                parts.extensions.get::<Local>().map_or_else(|| "localhost".into(), |at| at.0.to_string());
            return Ok(Self(format!("{scheme}://{local}").into()));
        };
        if !is_host(host) {
            return Err(Reply::detail(StatusCode::BAD_REQUEST, "Invalid host."));
        }
        Ok(Self(format!("{scheme}://{}", host.to_ascii_lowercase()).into()))
    }
}

impl ClientAddress {
    /// The same as the extractor, for code that holds the parts of a request.
    pub fn of(parts: &Parts) -> Self {
        let Some(peer) = peer(parts) else { return Self(Ipv4Addr::UNSPECIFIED.into()) };
        let edge = Edge::of(parts);
        let mut nearest = peer;
        let lines: Vec<&str> =
            parts.headers.get_all(FORWARDED_FOR).iter().filter_map(|line| line.to_str().ok()).collect();
        for entry in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
            // What stands left of an untrusted or unreadable address could be anyone's invention.
            if !edge.trusts(nearest) {
                break;
            }
            let Some(address) = forwarded_address(entry.trim()) else { break };
            nearest = address;
        }
        Self(nearest)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for BaseUrl {
    type Rejection = Reply;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Reply> {
        Self::of(parts)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self::of(parts))
    }
}

fn peer(parts: &Parts) -> Option<IpAddr> {
    parts.extensions.get::<Peer>().map(|peer| peer.0.ip().to_canonical())
}

/// The host that the request names: that of an absolute request target, or else the header (RFC 9112, 3.2.2).
/// A header that is no ASCII is an invalid host.
fn sent_host(parts: &Parts) -> Option<&str> {
    if let Some(authority) = parts.uri.authority() {
        return Some(authority.as_str());
    }
    let host = parts.headers.get(header::HOST)?.to_str().unwrap_or("?").trim();
    (!host.is_empty()).then_some(host)
}

fn last_entry<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let line = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    line.rsplit(',').next().map(str::trim).filter(|entry| !entry.is_empty())
}

/// An entry of `X-Forwarded-For`: an address, with or without port and brackets.
fn forwarded_address(entry: &str) -> Option<IpAddr> {
    let bare = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(entry);
    let address = bare.parse().or_else(|_| entry.parse::<SocketAddr>().map(|with_port| with_port.ip()));
    address.ok().map(|address| address.to_canonical())
}

/// Whether `text` is a name, an IPv4 address or an IPv6 address in brackets, with or without a port.
fn is_host(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let good_port = port.is_none_or(|port| {
        port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
    });
    let good_host = match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').is_some_and(|inner| inner.parse::<std::net::Ipv6Addr>().is_ok()),
        None => {
            (1..=253).contains(&host.len())
                && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
        }
    };
    good_host && good_port
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;
    use proptest::prelude::*;

    fn parts(edge: &Edge, peer: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().uri("/x");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(()).unwrap();
        request.extensions_mut().insert(Arc::new(edge.clone()));
        request.extensions_mut().insert(Peer(peer.parse().unwrap()));
        request.into_parts().0
    }

    fn proxied() -> Edge {
        Edge { trusted: vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()], ..Edge::default() }
    }

    fn url(edge: &Edge, peer: &str, headers: &[(&str, &str)]) -> String {
        BaseUrl::of(&parts(edge, peer, headers)).unwrap().0.to_string()
    }

    fn client(edge: &Edge, peer: &str, forwarded: &[&str]) -> String {
        let headers: Vec<_> = forwarded.iter().map(|line| ("x-forwarded-for", *line)).collect();
        ClientAddress::of(&parts(edge, peer, &headers)).0.to_string()
    }

    #[test]
    fn the_host_of_the_request_is_the_base() {
        assert_eq!(
            url(&Edge::default(), "1.2.3.4:5", &[("host", "Chat.example:8000")]),
            "http://chat.example:8000"
        );
        assert_eq!(url(&Edge::default(), "1.2.3.4:5", &[("host", "[::1]:8000")]), "http://[::1]:8000");
        assert_eq!(url(&Edge::default(), "1.2.3.4:5", &[]), "http://localhost");
    }

    #[test]
    fn the_public_url_wins() {
        let edge = Edge { public_url: Some("https://talk.example/".into()), ..proxied() };
        assert_eq!(url(&edge, "10.0.0.1:5", &[("host", "bad host")]), "https://talk.example");
    }

    #[test]
    fn without_a_host_the_listener_is_named() {
        let mut parts = parts(&Edge::default(), "1.2.3.4:5", &[]);
        parts.extensions.insert(Local("127.0.0.1:8000".parse().unwrap()));
        assert_eq!(&*BaseUrl::of(&parts).unwrap().0, "http://127.0.0.1:8000");
    }

    #[test]
    fn only_a_trusted_proxy_may_rename_the_server() {
        let headers =
            [("host", "inner"), ("x-forwarded-proto", "https"), ("x-forwarded-host", "evil, talk.example")];
        assert_eq!(url(&proxied(), "10.1.2.3:5", &headers), "https://talk.example");
        assert_eq!(url(&proxied(), "[::ffff:10.1.2.3]:5", &headers), "https://talk.example");
        assert_eq!(url(&proxied(), "11.1.2.3:5", &headers), "http://inner");
        assert_eq!(url(&Edge::default(), "10.1.2.3:5", &headers), "http://inner");
    }

    #[test]
    fn odd_hosts_are_refused() {
        for host in
            ["a b", "a/b", "user@a", "a:", "a:0", "a:65536", "a:+1", "[::1", "[x]", "a\"", "é", ":80", "a?b"]
        {
            let answer = BaseUrl::of(&parts(&Edge::default(), "1.2.3.4:5", &[("host", host)]));
            assert_eq!(answer.unwrap_err().status, StatusCode::BAD_REQUEST, "{host}");
        }
    }

    #[test]
    fn the_rightmost_untrusted_address_is_the_client() {
        assert_eq!(client(&proxied(), "9.9.9.9:1", &["1.1.1.1"]), "9.9.9.9");
        assert_eq!(client(&proxied(), "10.0.0.1:1", &[]), "10.0.0.1");
        assert_eq!(client(&proxied(), "10.0.0.1:1", &["6.6.6.6, 1.1.1.1"]), "1.1.1.1");
        assert_eq!(client(&proxied(), "10.0.0.1:1", &["6.6.6.6, 1.1.1.1, 10.9.9.9"]), "1.1.1.1");
        assert_eq!(client(&proxied(), "10.0.0.1:1", &["6.6.6.6", "1.1.1.1", "10.9.9.9"]), "1.1.1.1");
        assert_eq!(client(&proxied(), "10.0.0.1:1", &["10.0.0.3,10.0.0.2"]), "10.0.0.3");
        assert_eq!(client(&proxied(), "[fd00::1]:1", &["[2001:db8::1]:443"]), "2001:db8::1");
        assert_eq!(client(&proxied(), "10.0.0.1:1", &["::ffff:1.1.1.1"]), "1.1.1.1");
        assert_eq!(client(&proxied(), "10.0.0.1:1", &["1.1.1.1:5050"]), "1.1.1.1");
        assert_eq!(client(&proxied(), "10.0.0.1:1", &["1.1.1.1, nonsense"]), "10.0.0.1");
        assert_eq!(client(&proxied(), "[::ffff:9.9.9.9]:1", &[]), "9.9.9.9");
    }

    proptest! {
        #[test]
        fn no_header_makes_a_broken_url(host in "[!-~]{0,40}") {
            if let Ok(BaseUrl(url)) = BaseUrl::of(&parts(&Edge::default(), "1.2.3.4:5", &[("host", &host)])) {
                let authority = url.strip_prefix("http://").unwrap();
                prop_assert!(!authority.is_empty());
                prop_assert!(!authority.contains(['/', '?', '#', '@', '\\', '"', ' ']));
            }
        }

        #[test]
        fn an_untrusted_peer_is_always_itself(line in "[ -~]*") {
            prop_assert_eq!(client(&proxied(), "9.9.9.9:1", &[&line]), "9.9.9.9");
        }
    }
}
