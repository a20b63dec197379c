//! Keyed signatures (HMAC-SHA-256) and comparison in constant time.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

const BLOCK: usize = 64;

/// Signs what the server itself hands out, such as the URL of an upload.
pub(crate) struct Signer {
    key: [u8; 32],
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").finish_non_exhaustive()
    }
}

impl Signer {
    /// A signer over a key that is as random as the operating system makes it.
    pub(crate) fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// The signature of a purpose, an id and an expiry. The fields cannot be shifted into each other: each is told with
    /// its length.
    pub(crate) fn sign(&self, purpose: &str, id: &str, expires_ms: i64) -> String {
        let message = format!("{}:{purpose}:{}:{id}:{expires_ms}", purpose.len(), id.len());
        URL_SAFE_NO_PAD.encode(hmac(&self.key, message.as_bytes()))
    }

    /// Whether a signature is right and not expired at `now_ms`.
    pub(crate) fn verify(
        &self,
        purpose: &str,
        id: &str,
        expires_ms: i64,
        signature: &str,
        now_ms: i64,
    ) -> bool {
        let right = same(self.sign(purpose, id, expires_ms).as_bytes(), signature.as_bytes());
        right && now_ms < expires_ms
    }
}

/// HMAC-SHA-256 with a key of at most one block (RFC 2104).
fn hmac(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    let mut inner_pad = [0x36_u8; BLOCK];
    let mut outer_pad = [0x5c_u8; BLOCK];
    for (i, byte) in key.iter().enumerate() {
        inner_pad[i] ^= byte;
        outer_pad[i] ^= byte;
    }
    let inner = Sha256::new().chain_update(inner_pad).chain_update(message).finalize();
    Sha256::new().chain_update(outer_pad).chain_update(inner).finalize().into()
}

/// Whether two secrets are equal, in a time that tells nothing about where they differ.
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    // Digests have one length and cannot be steered towards each other byte by byte.
    let (a, b) = (Sha256::digest(a), Sha256::digest(b));
    a.iter().zip(b.iter()).fold(0, |difference, (x, y)| difference | (x ^ y)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|b| format!("{b:02x}")).collect()
    }

    #[test]
    fn the_hmac_is_the_standard_one() {
        // Key of 32 zero bytes over the empty message, as computed by other implementations.
        assert_eq!(
            hex(&hmac(&[0; 32], b"")),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"
        );
    }

    #[test]
    fn a_signature_holds_for_its_purpose_id_and_time_only() {
        let signer = Signer::new([7; 32]);
        let signature = signer.sign("upload", "obj_1", 1000);
        assert!(signer.verify("upload", "obj_1", 1000, &signature, 999));
        assert!(!signer.verify("upload", "obj_1", 1000, &signature, 1000), "expired");
        assert!(!signer.verify("download", "obj_1", 1000, &signature, 0));
        assert!(!signer.verify("upload", "obj_2", 1000, &signature, 0));
        assert!(!signer.verify("upload", "obj_1", 2000, &signature, 0));
        assert!(!Signer::new([8; 32]).verify("upload", "obj_1", 1000, &signature, 0));
    }

    #[test]
    fn equality_is_equality() {
        assert!(same(b"abc", b"abc") && !same(b"abc", b"abd") && !same(b"abc", b"ab") && same(b"", b""));
    }
}
