//! What all pages have in common.

use eval_report::html::{Document, Html, STYLE};

const VIEW_STYLE: &str = include_str!("../assets/view.css");
const VIEW_SCRIPT: &str = include_str!("../assets/view.js");

/// The sheet of pages of this server, beside that of the report.
pub(crate) fn styles() -> Vec<&'static str> {
    vec![VIEW_STYLE]
}

/// The script that keeps pages up to date.
pub(crate) fn scripts() -> Vec<&'static str> {
    vec![VIEW_SCRIPT]
}

/// Leads back to the list, and on to further places.
pub(crate) fn ways(further: impl FnOnce(&mut Html)) -> Html {
    let mut html = Html::default();
    html.raw("<nav class=\"ways\" aria-label=\"Places\"><ul><li><a href=\"/\">All runs</a></li>");
    further(&mut html);
    html.raw("</ul></nav>\n");
    html
}

/// A page that is no report. If it is live, the script keeps it up to date.
pub(crate) fn document(title: String, live: bool, above: &Html, header: &Html, main: &Html) -> Document {
    let mut body = Html::default();
    body.raw("<a class=\"skip\" href=\"#main\">Skip to the content</a>\n");
    body.piece(above).raw("<header class=\"top\" id=\"top\">\n").piece(header).raw("</header>\n");
    body.raw(if live {
        "<main id=\"main\" tabindex=\"-1\" data-live>\n"
    } else {
        "<main id=\"main\" tabindex=\"-1\">\n"
    });
    body.piece(&lost()).piece(main).raw("</main>\n");
    let mut styles = vec![STYLE];
    styles.extend(self::styles());
    Document { title, styles, scripts: scripts(), served: true, body }
}

/// What the script shows when the server does not answer.
pub(crate) fn lost() -> Html {
    let mut html = Html::default();
    html.raw("<p id=\"lost\" class=\"banner warn\" role=\"status\" hidden><strong>Not up to date.</strong> ");
    html.raw(
        "The server, or what was shown here, is gone. <code>runloop-eval view</code> starts it again.</p>\n",
    );
    html
}
