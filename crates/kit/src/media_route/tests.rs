use std::collections::HashMap;

use async_trait::async_trait;
use axum::http::Request;
use http_body_util::BodyExt;
use tower::ServiceExt;

use super::*;
use crate::service::{self, Whole};

/// Files in memory.
struct Memory(HashMap<&'static str, Bytes>);

#[async_trait]
impl Blobs for Memory {
    async fn put(&self, _: &str, _: Bytes) -> domain::Result<()> {
        unreachable!("nothing is put by a GET")
    }

    async fn size(&self, key: &str) -> domain::Result<Option<u64>> {
        Ok(self.0.get(key).map(|bytes| bytes.len() as u64))
    }

    async fn read(&self, key: &str, range: Range<u64>) -> domain::Result<Option<Bytes>> {
        let at = |number| usize::try_from(number).unwrap();
        assert!(range.end - range.start <= CHUNK, "files are read in chunks");
        Ok(self.0.get(key).map(|bytes| bytes.slice(at(range.start)..at(range.end))))
    }

    async fn delete(&self, _: &str) -> domain::Result<()> {
        unreachable!("nothing is deleted by a GET")
    }
}

fn big() -> Vec<u8> {
    (0..600_000u32).map(|number| number.to_le_bytes()[1]).collect()
}

fn site() -> Whole {
    let files = HashMap::from([
        ("avatars/a.png", Bytes::from_static(b"0123456789")),
        ("b.bin", Bytes::from(big())),
        ("empty.bin", Bytes::new()),
    ]);
    service::wrap(
        routes(Arc::new(Memory(files)), b"default").split_for_parts().0,
        &service::Settings::default(),
    )
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

async fn ask(method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = site().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer { status: parts.status.as_u16(), headers: parts.headers, body }
}

async fn range(path: &str, range: &str) -> (u16, String, Bytes) {
    let answer = ask("GET", path, &[("range", range)]).await;
    (answer.status, answer.header("content-range").to_owned(), answer.body)
}

#[tokio::test]
async fn an_image_is_shown_and_kept_for_ever() {
    for path in ["/media/avatars/a.png", "/media/media/avatars/a.png"] {
        let answer = ask("GET", path, &[]).await;
        assert_eq!((answer.status, &*answer.body), (200, &b"0123456789"[..]));
        assert_eq!(answer.header("content-type"), "image/png");
        assert_eq!(answer.header("cache-control"), FOR_EVER);
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("content-security-policy"), "default-src 'none'; sandbox");
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        assert!(!answer.headers.contains_key("content-disposition"));
    }
}

#[tokio::test]
async fn anything_else_is_for_download_and_read_in_chunks() {
    let answer = ask("GET", "/media/b.bin", &[]).await;
    assert_eq!(answer.header("content-type"), "application/octet-stream");
    assert_eq!(answer.header("content-disposition"), "attachment");
    assert_eq!(answer.header("content-length"), "600000");
    assert_eq!(answer.body, big());
    assert_eq!(ask("GET", "/media/empty.bin", &[]).await.body, "");
}

#[tokio::test]
async fn a_head_tells_all_but_the_bytes() {
    let answer = ask("HEAD", "/media/b.bin", &[]).await;
    assert_eq!((answer.status, answer.header("content-length"), answer.body.len()), (200, "600000", 0));
}

#[tokio::test]
async fn the_default_picture_is_always_there() {
    let answer = ask("GET", "/media/avatars/default.png", &[("range", "bytes=1-3")]).await;
    assert_eq!((answer.status, &*answer.body), (206, &b"efa"[..]));
    assert_eq!(answer.header("cache-control"), FOR_AN_HOUR);
    let tag = answer.header("etag").to_owned();
    assert_eq!(ask("GET", "/media/avatars/default.png", &[("if-none-match", &tag)]).await.status, 304);
}

#[tokio::test]
async fn what_the_client_has_is_not_sent_again() {
    let tag = ask("GET", "/media/avatars/a.png", &[]).await.header("etag").to_owned();
    assert_eq!(tag, "\"avatars/a.png\"");
    for listed in [tag.clone(), format!("\"x\", W/{tag}"), "*".to_owned()] {
        let answer = ask("GET", "/media/avatars/a.png", &[("if-none-match", &listed)]).await;
        assert_eq!((answer.status, answer.body.len(), answer.header("etag")), (304, 0, tag.as_str()));
        assert_eq!(answer.header("cache-control"), FOR_EVER);
    }
    assert_eq!(ask("GET", "/media/avatars/a.png", &[("if-none-match", "\"x\"")]).await.status, 200);
    assert_eq!(ask("GET", "/media/gone.png", &[("if-none-match", "*")]).await.status, 404);
}

#[tokio::test]
async fn ranges_are_cut_out_of_the_file() {
    let path = "/media/avatars/a.png";
    for (asked, place, bytes) in [
        ("bytes=0-0", "bytes 0-0/10", "0"),
        ("bytes=2-4", "bytes 2-4/10", "234"),
        ("Bytes=7-", "bytes 7-9/10", "789"),
        ("bytes=7-99999999999999999999999", "bytes 7-9/10", "789"),
        ("bytes=-3", "bytes 7-9/10", "789"),
        ("bytes=-30", "bytes 0-9/10", "0123456789"),
    ] {
        assert_eq!(range(path, asked).await, (206, place.to_owned(), Bytes::from(bytes)), "{asked}");
    }
    let (status, place, bytes) = range("/media/b.bin", "bytes=100-599998").await;
    assert_eq!(
        (status, &*place, bytes),
        (206, "bytes 100-599998/600000", Bytes::from(big()[100..599_999].to_vec()))
    );
}

#[tokio::test]
async fn a_range_beyond_the_end_is_416_and_a_strange_one_is_ignored() {
    for (path, asked) in
        [("avatars/a.png", "bytes=10-"), ("avatars/a.png", "bytes=-0"), ("empty.bin", "bytes=0-0")]
    {
        let (status, place, _) = range(&format!("/media/{path}"), asked).await;
        assert_eq!(status, 416, "{asked}");
        assert!(place.starts_with("bytes */"), "{place}");
    }
    for asked in ["bytes=4-2", "bytes=0-1,3-4", "bytes=a-b", "bytes", "lines=0-1", "bytes=--1", "bytes=+1-2"]
    {
        assert_eq!(range("/media/avatars/a.png", asked).await.0, 200, "{asked}");
    }
    let other = [("range", "bytes=0-0"), ("if-range", "\"other\"")];
    assert_eq!(ask("GET", "/media/avatars/a.png", &other).await.status, 200);
}

#[tokio::test]
async fn what_is_no_key_is_not_found() {
    for path in [
        "/media/none.png",
        "/media/",
        "/media",
        "/media/avatars/",
        "/media/..%2f..%2fetc/passwd",
        "/media/%22",
    ] {
        let answer = ask("GET", path, &[]).await;
        assert_eq!((answer.status, &*answer.body), (404, &br#"{"detail":"Not found."}"#[..]), "{path}");
    }
    assert_eq!(ask("POST", "/media/avatars/a.png", &[]).await.status, 405);
}
