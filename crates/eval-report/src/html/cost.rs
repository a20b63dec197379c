//! What the agents say they used.

use crate::{Summary, Trial};

use super::AGENTS;
use super::headline::more;
use super::markup::Html;

#[derive(Default)]
struct Spent {
    trials: u64,
    told: u64,
    /// Tokens; `None` if no trial told them.
    input: Option<u64>,
    output: Option<u64>,
    /// Trials that told their cost, and those of them that passed.
    priced: u64,
    passed: u64,
    dollars: f64,
}

/// `None` where no agent told anything.
pub(crate) fn section(summary: &Summary) -> Option<Html> {
    summary.trials.iter().find(|trial| trial.usage.is_some())?;
    let mut html = Html::default();
    html.raw("<p>By the agents’ own word. Trials that report nothing are in no sum, and nothing is guessed for them.</p>\n");
    html.raw("<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Cost\">\n");
    html.raw("<table>\n<caption class=\"hidden\">Tokens and cost of each agent</caption>\n<thead><tr>");
    html.raw("<th scope=\"col\">Agent</th><th scope=\"col\" class=\"n\">Trials that report</th>");
    html.raw(
        "<th scope=\"col\" class=\"n\">Input tokens</th><th scope=\"col\" class=\"n\">Output tokens</th>",
    );
    html.raw("<th scope=\"col\" class=\"n\">Cost</th><th scope=\"col\" class=\"n\">A trial</th>");
    html.raw("<th scope=\"col\" class=\"n\">A pass</th></tr></thead>\n<tbody>\n");
    for row in summary.per_agent.iter().take(AGENTS) {
        let spent = spent(summary.trials.iter().filter(|trial| trial.key.agent == row.agent));
        html.raw("<tr><th scope=\"row\" class=\"name\">").name(&row.agent).raw("</th><td class=\"n\">");
        html.text(format_args!("{} of {}", spent.told, spent.trials)).raw("</td>");
        for tokens in [spent.input, spent.output] {
            html.raw("<td class=\"n\">");
            match tokens {
                Some(tokens) => html.text(thousands(tokens)),
                None => html.raw("unknown"),
            };
            html.raw("</td>");
        }
        let dollars = Some(spent.dollars).filter(|_| spent.priced > 0);
        let per = |n: u64| dollars.filter(|_| n > 0).map(|dollars| dollars / n as f64);
        for dollars in [dollars, per(spent.priced), per(spent.passed)] {
            html.raw("<td class=\"n\">");
            match dollars {
                Some(dollars) => html.text(money(dollars)),
                None => html.raw("unknown"),
            };
            html.raw("</td>");
        }
        html.raw("</tr>\n");
    }
    html.raw("</tbody>\n</table>\n</div>\n");
    more(summary.per_agent.len(), &mut html);
    Some(html)
}

fn spent<'a>(trials: impl Iterator<Item = &'a Trial>) -> Spent {
    let mut spent = Spent::default();
    for trial in trials {
        spent.trials += 1;
        let Some(usage) = trial.usage else { continue };
        spent.told += 1;
        for (sum, tokens) in
            [(&mut spent.input, usage.input_tokens), (&mut spent.output, usage.output_tokens)]
        {
            if let Some(tokens) = tokens {
                *sum = Some(sum.unwrap_or(0).saturating_add(tokens));
            }
        }
        if let Some(cost) = usage.cost_usd.filter(|cost| cost.is_finite() && *cost >= 0.0) {
            spent.priced += 1;
            spent.passed += u64::from(trial.passed == Some(true));
            spent.dollars += cost;
        }
    }
    spent
}

/// `$1.25`, and with more digits below a cent's tenfold.
pub(crate) fn money(dollars: f64) -> String {
    if dollars < 0.1 { format!("${dollars:.4}") } else { format!("${dollars:.2}") }
}

/// `1 234 567`, with narrow spaces that do not break.
pub(crate) fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_at_a_glance() {
        assert_eq!([0.0, 0.0123, 3.456].map(money), ["$0.0000", "$0.0123", "$3.46"]);
        assert_eq!([7, 1_000, 1_234_567].map(thousands), ["7", "1\u{202f}000", "1\u{202f}234\u{202f}567"]);
    }
}
