//! `results.json`: the [`Summary`] as one JSON object, indented, with a newline at its end.
//!
//! ```text
//! format        1
//! run           id, benchmark, source, agent_versions {<agent>: version}, target, version, seed, concurrency, started_at_ms,
//!               wall_ms, complete, interrupted,
//!               spending {devbox_ms, input_tokens, cached_input_tokens, output_tokens, cost_usd, silent_attempts,
//!               budget {max_devbox_minutes, max_cost_usd}}, rounds {min, max, half_width},
//!               decided [agent, repetitions, why]
//! guarantees    what the devboxes of a local target guarantee; null elsewhere
//! summary       planned, scored, passed, failed, invalid, canceled, unfinished,
//!               mean_score, mean_interval {low, high, scenarios, resamples, degenerate}, mean_bounds {low, high},
//!               pass_rate, pass_rate_interval {low, high}, pass_rate_bounds {low, high},
//!               pass_k [k, at_least_one, all] (pass@k and pass^k, absent for single trials),
//!               durations_ms {<phase>: {trials, median, max, total}}
//! per_agent     [agent and all of the above]
//! per_scenario  [scenario, agent and all of the above]
//! per_group     [key, value (of the scenarios' metadata), agent and all of the above]
//! gate          null where none decided, else
//!               format, decision (pass, fail, undecided),
//!               agents [agent, decision, notes,
//!                       reasons [decision, limit, message, place (FILE:LINE of the limit),
//!                                examples [scenario, repetition, message, place (FILE:LINE of the baseline),
//!                                          source (FILE:LINE of the scenario), logs]],
//!                       regression (null without a baseline) {paired, mean_before, mean_after, difference, interval, p,
//!                                detectable_drop, scenarios [scenario, before, before_trials, after, after_trials,
//!                                                            difference, interval {low, high}, place]}]
//! trials        [scenario, agent, repetition, state, score, passed, cause, message, attempts, durations_ms, digest,
//!               agent_end, usage, scores [name, weight, score, duration_ms, output], flags [kind, place, evidence], logs,
//!               metadata, history [attempt, started_at_ms, took_ms, phases_ms {<phase>: begin}, cause, message]]
//! sources       {<scenario>: {file, line}}
//! ```
//!
//! `state` is `scored`, `invalid`, `canceled` or `unfinished`. Only scored trials have a score, never null then, and are
//! `passed` or not; only invalid ones have a `cause`, and
//! those that were canceled by the time or budget of the run.

use std::io;

use crate::Summary;

/// Writes a summary.
///
/// # Errors
///
/// Those of the writer.
pub fn write(summary: &Summary, mut writer: impl io::Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut writer, summary)?;
    writer.write_all(b"\n")?;
    writer.flush()
}

/// Reads one back.
///
/// # Errors
///
/// If it is not JSON of this kind.
pub fn read(content: &[u8]) -> serde_json::Result<Summary> {
    serde_json::from_slice(content)
}
