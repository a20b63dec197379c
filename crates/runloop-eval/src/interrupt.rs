//! Ctrl-C and SIGTERM: the first ends in good order, the second at once.

use eval_runner::Cancellation;
use tokio::signal::unix::{SignalKind, signal};

use crate::exit::Exit;

/// Cancels on the first signal, abandons on the second, exits on the third.
pub(crate) fn watch(cancellation: Cancellation) -> std::io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::spawn(async move {
        for count in 1.. {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
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
