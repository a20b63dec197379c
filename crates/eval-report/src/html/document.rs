//! A page as a file: its head, the policy that it runs under, and its body.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::markup::Html;

/// A page that needs no other file. Only the styles and scripts that are in it run, known by their hashes.
#[derive(Debug, Clone, Default)]
pub struct Document {
    /// For the window; may hold anything.
    pub title: String,
    /// Sheets, in their order.
    pub styles: Vec<&'static str>,
    /// Scripts, which run when the body is there.
    pub scripts: Vec<&'static str>,
    /// Whether it may speak to the server that it came from: ask for data, and send forms there.
    pub served: bool,
    /// What is in `body`.
    pub body: Html,
}

impl Document {
    /// Its Content-Security-Policy. A file has it in itself; a server must send it.
    pub fn policy(&self) -> String {
        let hashes = |contents: &[&str]| {
            let hashes = contents
                .iter()
                .map(|content| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(content.as_bytes()))));
            hashes.collect::<Vec<_>>().join(" ")
        };
        let (styles, scripts) = (hashes(&self.styles), hashes(&self.scripts));
        let (connect, form) = if self.served { ("connect-src 'self'; ", "'self'") } else { ("", "'none'") };
        format!(
            "default-src 'none'; style-src {styles}; script-src {scripts}; {connect}base-uri 'none'; \
             form-action {form}; require-trusted-types-for 'script'"
        )
    }

    /// The page.
    pub fn html(&self) -> Html {
        let mut html = Html::default();
        html.raw("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
        if !self.served {
            html.raw("<meta http-equiv=\"Content-Security-Policy\"");
            html.attribute("content", self.policy()).raw(">\n");
        }
        html.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
        html.raw("<meta name=\"color-scheme\" content=\"light dark\">\n");
        html.raw(
            "<meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"robots\" content=\"noindex\">\n",
        );
        html.raw("<title>").name(&self.title).raw(" – runloop-eval</title>\n");
        for style in &self.styles {
            html.raw("<style>").raw(style).raw("</style>\n");
        }
        html.raw("</head>\n<body>\n").piece(&self.body);
        for script in &self.scripts {
            html.raw("<script>").raw(script).raw("</script>\n");
        }
        html.raw("</body>\n</html>\n");
        html
    }
}
