//! Keeps secret values out of texts that are shown.

use secrecy::{ExposeSecret, SecretString};

/// Shorter values are left alone: masking every `1` would hide the text, not the secret.
const SHORTEST: usize = 4;

/// Replaces every occurrence of a secret's value.
pub(crate) fn mask(text: &str, secrets: &[SecretString]) -> String {
    let mut masked = text.to_owned();
    for secret in secrets {
        let value = secret.expose_secret().trim();
        if value.len() >= SHORTEST && masked.contains(value) {
            masked = masked.replace(value, "***");
        }
    }
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_hidden_wherever_they_stand() {
        let secrets = ["hunter22\n".into(), "x".into()];
        assert_eq!(mask("token=hunter22, again hunter22; x", &secrets), "token=***, again ***; x");
    }
}
