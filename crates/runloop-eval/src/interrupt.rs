//! Ctrl-C, SIGTERM and a terminal that goes away: the first ends in good order, the second at once.

use eval_runner::Cancellation;
use tokio::signal::unix::{SignalKind, signal};

use crate::exit::Exit;

/// Cancels on the first signal, abandons on the second, exits on the third.
pub(crate) fn watch(cancellation: Cancellation) -> std::io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    // Whoever started us with `nohup` wants us to go on.
    let mut hangup = if is_hangup_ignored() { None } else { Some(signal(SignalKind::hangup())?) };
    tokio::spawn(async move {
        for count in 1.. {
            let hung_up = async {
                match &mut hangup {
                    Some(hangup) => hangup.recv().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hung_up => {}
            }
            match count {
                1 => {
                    cancellation.stop.cancel();
                    // Beside us: a terminal that is stopped must not keep the next signal from being seen.
                    std::thread::spawn(|| {
                        say!("interrupted: ending running trials and their devboxes; once more to not wait");
                    });
                }
                2 => cancellation.abandon.cancel(),
                _ => std::process::exit(Exit::Interrupted.code().into()),
            }
        }
    });
    Ok(())
}

/// Whether SIGHUP was ignored when this program started; only Linux tells.
fn is_hangup_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // A mask in hexadecimal; SIGHUP is signal 1, its lowest bit.
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

/// Waits for the first signal.
pub(crate) async fn wait() -> std::io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
