//! What a devbox has used.

use runloop_types::{DevboxResourceUsageView, DevboxStatus, DevboxView};

use super::size::Size;

/// Counts from the transitions of a view, as of `now_ms`.
pub(crate) fn usage(view: &DevboxView, now_ms: i64) -> DevboxResourceUsageView {
    let end = view.end_time_ms.unwrap_or(now_ms);
    let mut active_ms = 0;
    let mut since = None;
    for transition in &view.state_transitions {
        let Some(at) = transition.transition_time_ms.as_i64() else { continue };
        if let Some(since) = since.take() {
            active_ms += at - since;
        }
        let up = matches!(
            transition.status,
            Some(
                DevboxStatus::Initializing
                    | DevboxStatus::Running
                    | DevboxStatus::Suspending
                    | DevboxStatus::Resuming
            )
        );
        since = up.then_some(at);
    }
    if let Some(since) = since {
        active_ms += end - since;
    }
    let active = seconds(active_ms);
    let elapsed = seconds(end - view.create_time_ms);
    let size = Size::counted(&view.launch_parameters);
    DevboxResourceUsageView {
        id: view.id.clone(),
        status: view.status.to_string(),
        start_time_ms: view.create_time_ms,
        end_time_ms: view.end_time_ms,
        total_elapsed_seconds: rounded(elapsed),
        total_active_seconds: rounded(active),
        vcpu_seconds: rounded(active * size.cores),
        memory_gb_seconds: rounded(active * size.memory),
        disk_gb_seconds: rounded(elapsed * size.disk),
    }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of a life time")]
fn seconds(ms: i64) -> f64 {
    ms.max(0) as f64 / 1000.0
}

#[expect(clippy::cast_possible_truncation, reason = "seconds of a life time")]
fn rounded(value: f64) -> i64 {
    value.round() as i64
}

#[cfg(test)]
mod tests {
    use runloop_types::StateTransition;

    use super::*;

    #[test]
    fn suspended_time_costs_disk_only() {
        let step = |status, at: i64| StateTransition {
            status: Some(status),
            transition_time_ms: at.into(),
            failure_reason: None,
        };
        let view = DevboxView {
            status: DevboxStatus::Running,
            create_time_ms: 0,
            state_transitions: vec![
                step(DevboxStatus::Provisioning, 0),
                step(DevboxStatus::Running, 1_000),
                step(DevboxStatus::Suspended, 11_000),
                step(DevboxStatus::Running, 100_000),
            ],
            ..DevboxView::default()
        };
        let usage = usage(&view, 110_000);
        assert_eq!((usage.total_active_seconds, usage.total_elapsed_seconds), (20, 110));
        assert_eq!((usage.vcpu_seconds, usage.memory_gb_seconds, usage.disk_gb_seconds), (20, 40, 440));
    }
}
