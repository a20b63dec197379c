//! `view`: runs in the browser.

use eval_view::{Root, Server};

use crate::args::{Verbosity, ViewArgs};
use crate::commands::print;
use crate::error::CliError;
use crate::exit::Exit;
use crate::interrupt;

pub(crate) async fn run(args: &ViewArgs, verbosity: Verbosity) -> Result<Exit, CliError> {
    let roots = args.directories.iter().map(|path| Root::open(path)).collect::<Result<_, _>>();
    let roots = roots.map_err(|error| {
        CliError::wrap(Exit::Usage, "there is nothing to show", &error).hint(
            "name a directory with runs: `runloop-eval run` makes them below runs/, where it is started",
        )
    })?;
    let server = Server::start(roots, args.port).await.map_err(|error| {
        CliError::wrap(Exit::Usage, "the pages cannot be served", &error)
            .hint("choose another --port, or none for any that is free")
    })?;
    print(&format!("{}\n", server.url()))?;
    if !verbosity.quiet {
        say!("open it in a browser on this machine; Ctrl-C ends it");
    }
    interrupt::wait()
        .await
        .map_err(|error| CliError::wrap(Exit::Target, "signals cannot be received", &error))?;
    server.shutdown().await;
    Ok(Exit::Done)
}
