//! How addresses, networks, origins and filters are written.

use std::net::IpAddr;

use ipnet::IpNet;
use tracing_subscriber::EnvFilter;
use url::Url;

/// Where to listen: `address:port`, the address an IP address or a host's name; port 0 for any free one.
pub(crate) fn listen(text: &str) -> Result<String, String> {
    let wrong = "write an address and a port, such as 127.0.0.1:8000, or [::]:8000 for all addresses";
    let (host, port) = text.rsplit_once(':').ok_or(wrong)?;
    let bracketed = host.starts_with('[') && host.ends_with(']');
    if host.is_empty() || host.contains(':') != bracketed || port.parse::<u16>().is_err() {
        return Err(wrong.to_owned());
    }
    Ok(text.to_owned())
}

/// The start of absolute URLs: `http` or `https`, a host, perhaps a port and a path. No slash at the end.
pub(crate) fn public_url(text: &str) -> Result<String, String> {
    let url = Url::parse(text).map_err(|fault| format!("{fault}; write it as https://chat.example.org"))?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if !plain {
        return Err("write a scheme (http or https) and a host, such as https://chat.example.org".to_owned());
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// A network in CIDR notation (RFC 4632), or a single address.
pub(crate) fn network(text: &str) -> Result<IpNet, String> {
    let alone = || text.parse::<IpAddr>().ok().map(IpNet::from);
    let network = text.parse().ok().or_else(alone);
    network.ok_or_else(|| "write a network such as 10.0.0.0/8 or fd00::/8, or an address".to_owned())
}

/// A web page's origin as browsers send it (`scheme://host[:port]`), or `*` for all.
pub(crate) fn origin(text: &str) -> Result<String, String> {
    let wrong = || "write scheme://host or scheme://host:port without a path, or * for all".to_owned();
    if matches!(text, "*" | "null") {
        return Ok(text.to_owned());
    }
    let url = Url::parse(text).map_err(|_| wrong())?;
    let bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
    if !url.has_host() || !bare || !url.username().is_empty() {
        return Err(wrong());
    }
    // Schemes of apps, such as capacitor://localhost, have no origin by the URL Standard, but browsers send one.
    let origin = url.origin();
    Ok(if origin.is_tuple() { origin.ascii_serialization() } else { text.trim_end_matches('/').to_owned() })
}

/// What is logged: a level, or a filter such as `info,tertulia_store=debug`.
pub(crate) fn log_filter(text: &str) -> Result<String, String> {
    EnvFilter::builder().parse(text).map_err(|fault| fault.to_string())?;
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_to_listen_on_has_a_port() {
        for good in ["127.0.0.1:8000", "[::1]:0", "localhost:80", "0.0.0.0:65535"] {
            assert_eq!(listen(good).as_deref(), Ok(good));
        }
        for bad in ["", "nowhere", ":8000", "127.0.0.1", "::1:80", "127.0.0.1:x", "127.0.0.1:65536"] {
            assert!(listen(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_public_url_may_have_a_path_and_loses_its_last_slash() {
        assert_eq!(public_url("https://Example.org/"), Ok("https://example.org".to_owned()));
        assert_eq!(public_url("http://example.org:81/chat/"), Ok("http://example.org:81/chat".to_owned()));
        for bad in
            ["example.org", "ftp://example.org", "https://", "https://a@b", "https://a/?b", "https://a/#b"]
        {
            assert!(public_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_proxy_is_a_network_or_an_address() {
        assert_eq!(network("10.0.0.0/8").map(|network| network.prefix_len()), Ok(8));
        assert_eq!(network("::1").map(|network| network.prefix_len()), Ok(128));
        for bad in ["", "proxy", "10.0.0.0/33", "10.0.0/8"] {
            assert!(network(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_origin_is_written_as_browsers_send_it() {
        for (text, sent) in [
            ("https://Example.org", "https://example.org"),
            ("https://example.org:443/", "https://example.org"),
            ("http://localhost:5173", "http://localhost:5173"),
            ("capacitor://localhost", "capacitor://localhost"),
            ("*", "*"),
        ] {
            assert_eq!(origin(text).as_deref(), Ok(sent));
        }
        for bad in ["", "example.org", "https://example.org/app", "https://a@b"] {
            assert!(origin(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_log_filter_has_known_levels() {
        assert!(log_filter("info,tertulia_store=debug").is_ok());
        assert!(log_filter("tertulia_store=loud").is_err());
    }
}
