//! Whom we trust over TLS, and which protocols we offer: the same for every connection of a client.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::CertificateDer;
use rustls_platform_verifier::Verifier;

/// Trusts the authorities of the system and `roots`, and offers HTTP/2 before HTTP/1.1.
///
/// # Errors
/// If the system's authorities cannot be read, or a root is no certificate.
pub(crate) fn config(roots: &[CertificateDer<'static>]) -> Result<ClientConfig, rustls::Error> {
    let provider = provider();
    let verifier = Verifier::new_with_extra_roots(roots.iter().cloned(), Arc::clone(&provider))?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// Makes sure that there is some cryptography: a client of plain HTTP cannot be built without.
pub(crate) fn install() {
    // An error means that there is one already: the program's choice.
    let _ = ring::default_provider().install_default();
}

/// The program's choice of cryptography if it made one, else ring.
fn provider() -> Arc<CryptoProvider> {
    CryptoProvider::get_default().map_or_else(|| Arc::new(ring::default_provider()), Arc::clone)
}
