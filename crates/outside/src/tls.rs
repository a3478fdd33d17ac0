//! TLS as a client: rustls with ring, trusting Mozilla's roots.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore, crypto::CryptoProvider, crypto::ring};

/// Makes ring the process's cryptography, unless another choice was made before. Lettre takes what is installed.
pub(crate) fn install_provider() {
    if CryptoProvider::get_default().is_none() {
        // An error says that another thread was faster.
        let _ = ring::default_provider().install_default();
    }
}

/// For HTTPS: independent of what certificates this machine has.
///
/// # Errors
/// When ring lacks what TLS 1.2 and 1.3 need, which it does not.
pub(crate) fn client() -> Result<ClientConfig, rustls::Error> {
    let roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    Ok(builder.with_safe_default_protocol_versions()?.with_root_certificates(roots).with_no_client_auth())
}
