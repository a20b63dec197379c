//! Ctrl-C, SIGTERM and a terminal that goes away: the first ends in good order, the second at once.

use eval_runner::Cancellation;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::Exit;

/// Cancels on the first signal, abandons on the second, exits on the third.
pub(crate) fn watch(cancellation: Cancellation) -> std::io::Result<()> {
    let mut signals = Signals::new()?;
    tokio::spawn(async move {
        for count in 1.. {
            signals.next().await;
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

/// Waits for the first signal.
pub(crate) async fn wait() -> std::io::Result<()> {
    Signals::new()?.next().await;
    Ok(())
}

/// The signals that ask this program to end.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Option<Signal>,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        // Whoever started us with `nohup` wants us to go on.
        let hangup = if is_hangup_ignored() { None } else { Some(signal(SignalKind::hangup())?) };
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup,
        })
    }

    async fn next(&mut self) {
        let hung_up = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = hung_up => {}
        }
    }
}

/// Whether SIGHUP was ignored when this program started; only Linux tells.
fn is_hangup_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // A mask in hexadecimal; SIGHUP is signal 1, its lowest bit.
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}
