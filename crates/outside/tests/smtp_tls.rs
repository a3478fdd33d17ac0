//! Mail over TLS, against a small server on this machine whose certificate is signed by a root of our own.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    path::PathBuf,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use domain::ports::Mailer;
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tertulia_outside::mail::Smtp;

use common::{letterhead, mail, until};

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/tls").join(name)
}

fn server_config() -> Arc<ServerConfig> {
    let certificate = CertificateDer::from_pem_file(file("server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(file("server.key")).unwrap();
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    Arc::new(builder.with_single_cert(vec![certificate], key).unwrap())
}

/// Starts a server that takes connections one after the other; gives its port and what it hears once TLS has begun.
fn serve(is_implicit: bool) -> (u16, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (heard, lines) = mpsc::channel();
    let config = server_config();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            if !is_implicit {
                stream.write_all(b"220 ready\r\n").unwrap();
                let mut plain = BufReader::new(&stream);
                let mut line = String::new();
                while plain.read_line(&mut line).is_ok_and(|length| length > 0)
                    && !line.ends_with("STARTTLS\r\n")
                {
                    (&stream).write_all(b"250-script\r\n250 STARTTLS\r\n").unwrap();
                }
                stream.write_all(b"220 begin\r\n").unwrap();
            }
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut secure = BufReader::new(StreamOwned::new(connection, stream));
            let greeted = !is_implicit || secure.get_mut().write_all(b"220 ready\r\n").is_ok();
            if greeted {
                // An error is a client that does not like the certificate.
                let _ = talk(&mut secure, &heard);
            }
        }
    });
    (port, lines)
}

fn talk<S: Read + Write>(stream: &mut BufReader<S>, heard: &mpsc::Sender<String>) -> std::io::Result<()> {
    let mut is_text = false;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let answer = match line.trim_end() {
            "DATA" => "354 go on",
            "." => "250 taken",
            hello if hello.starts_with("EHLO") => "250-script\r\n250 AUTH PLAIN",
            login if login.starts_with("AUTH") => "235 welcome",
            _ => "250 fine",
        };
        is_text = answer.starts_with("354") || (is_text && line != ".\r\n");
        if !is_text || answer.starts_with("354") {
            stream.get_mut().write_all(format!("{answer}\r\n").as_bytes())?;
        }
        // The test may be over.
        let _ = heard.send(line);
    }
}

async fn a_mail_gets_through(url: &str, lines: mpsc::Receiver<String>) {
    let smtp = Smtp::new(url, Some(&file("root.pem")), letterhead()).unwrap();
    assert_eq!(smtp.check().await, Ok(()));
    smtp.send(mail("ana@example.org", "s", "012345"));
    assert!(smtp.flush(Duration::from_secs(30)).await);
    let mut heard = Vec::new();
    until(|| {
        heard.extend(lines.try_iter());
        heard.iter().any(|line| line == "012345\r\n")
    })
    .await;
    assert!(heard.iter().any(|line| line == "AUTH PLAIN AGFuYQBwdw==\r\n"), "{heard:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_goes_over_implicit_tls() {
    let (port, lines) = serve(true);
    a_mail_gets_through(&format!("smtps://ana:pw@localhost:{port}"), lines).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_goes_over_starttls() {
    let (port, lines) = serve(false);
    a_mail_gets_through(&format!("smtp://ana:pw@localhost:{port}"), lines).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_nobody_vouches_for_or_of_another_name_is_refused() {
    for (is_implicit, scheme) in [(true, "smtps"), (false, "smtp")] {
        let (port, lines) = serve(is_implicit);
        let stranger = Smtp::new(&format!("{scheme}://ana:pw@localhost:{port}"), None, letterhead()).unwrap();
        let told = stranger.check().await.unwrap_err();
        assert!(told.contains("certificate"), "{told}");
        let url = format!("{scheme}://ana:pw@127.0.0.1:{port}");
        let misnamed = Smtp::new(&url, Some(&file("root.pem")), letterhead()).unwrap();
        let told = misnamed.check().await.unwrap_err();
        assert!(told.contains("certificate"), "{told}");
        assert_eq!(lines.try_iter().collect::<Vec<_>>(), [""; 0]);
    }
}
