//! `serve`: the embedded platform alone.

use runloop_client::ExposeSecret as _;
use secrecy::SecretString;

use crate::args::{ServeArgs, Verbosity};
use crate::commands::doctor::driver_name;
use crate::commands::print;
use crate::error::CliError;
use crate::exit::Exit;
use crate::hiding;
use crate::interrupt;
use crate::state::Ephemeral;
use crate::target::{Data, start_server};

pub(crate) async fn run(args: ServeArgs, verbosity: Verbosity) -> Result<Exit, CliError> {
    let (data, ephemeral) = match args.data_dir {
        Some(path) => (Data::Kept(path), None),
        None => {
            let data = Ephemeral::create(|name| std::env::var_os(name)).map_err(|error| {
                CliError::wrap(Exit::Target, "there is no directory for its data", &error)
                    .hint("use --data-dir DIR")
            })?;
            (Data::ForOneRun(data.path().to_path_buf()), Some(data))
        }
    };
    let drawn = args.api_key.is_none();
    let key = args.api_key.map(SecretString::from);
    let server = start_server(args.port, key, data, &args.isolation).await?;
    hiding::hide([server.api_key().expose_secret()]);
    let mut text = format!("RUNLOOP_BASE_URL={}\n", server.url());
    if drawn {
        text += &format!("RUNLOOP_API_KEY={}\n", server.api_key().expose_secret());
    }
    print(&text)?;
    if !verbosity.quiet {
        say!("devboxes: {}; Ctrl-C ends them and the server", driver_name(server.guarantees().driver));
    }
    interrupt::wait()
        .await
        .map_err(|error| CliError::wrap(Exit::Target, "signals cannot be received", &error))?;
    server.shutdown().await;
    drop(ephemeral);
    Ok(Exit::Done)
}
