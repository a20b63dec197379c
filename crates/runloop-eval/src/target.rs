//! Where devboxes come from: the embedded platform, the cloud, or a URL.

use std::path::PathBuf;
use std::sync::Arc;

use eval_runner::Pressure;
use runloop_client::{Client, ClientBuilder, DEFAULT_BASE_URL, DevboxListParams, ExposeSecret as _};
use runloop_sandbox::{Base, DriverChoice, DriverKind, Guarantees, OpenError, SandboxOptions};
use runloop_server::{SandboxSource, Server, ServerOptions, StartError};
use runloop_types::PageParams;
use secrecy::SecretString;

use crate::args::{Driver, IsolationArgs, TargetArgs};
use crate::error::CliError;
use crate::exit::Exit;
use crate::hiding;
use crate::state::Ephemeral;

/// A Runloop API that answers.
pub(crate) struct Target {
    /// `local`, `cloud` or the URL.
    pub(crate) name: String,
    pub(crate) client: Client,
    /// The gate of that client.
    pub(crate) pressure: Pressure,
    pub(crate) base_url: String,
    pub(crate) api_key: SecretString,
    /// What its devboxes guarantee; known of the local one only.
    pub(crate) guarantees: Option<Guarantees>,
    platform: Option<(Server, Ephemeral)>,
}

impl Target {
    /// Starts the embedded platform, or makes sure that the one named answers and takes the key.
    pub(crate) async fn connect(args: &TargetArgs) -> Result<Self, CliError> {
        let target = match args.name() {
            eval_record::LOCAL => Self::local(&args.isolation).await?,
            "cloud" => Self::remote("cloud", &cloud_url())?,
            url if url.starts_with("http://") || url.starts_with("https://") => Self::remote(url, url)?,
            other => {
                return Err(CliError::new(Exit::Usage, format!("{other:?} is no target"))
                    .hint("use --target local, --target cloud, or the URL of a Runloop API"));
            }
        };
        if target.platform.is_none() {
            target.say_hello().await?;
        }
        Ok(target)
    }

    /// Makes sure that the target answers and takes the key, with one retry: a person waits.
    async fn say_hello(&self) -> Result<(), CliError> {
        let impatient = client(&self.base_url, &self.api_key, |builder| builder.max_retries(1))?;
        let page = PageParams { limit: Some(1), ..PageParams::default() };
        let one = DevboxListParams { page, ..DevboxListParams::default() };
        impatient.devboxes().list(&one).await.map(drop).map_err(|error| {
            CliError::wrap(Exit::Target, format!("{} does not serve us", self.base_url), &error)
                .hint("check the URL and RUNLOOP_API_KEY, or use --target local")
        })
    }

    async fn local(isolation: &IsolationArgs) -> Result<Self, CliError> {
        let data = Ephemeral::create(|name| std::env::var_os(name)).map_err(|error| {
            CliError::wrap(Exit::Target, "there is no directory for the local platform", &error)
                .hint("set XDG_STATE_HOME to a directory that can be written")
        })?;
        let server = start_server(0, None, Data::ForOneRun(data.path().to_path_buf()), isolation).await?;
        hiding::hide([server.api_key().expose_secret()]);
        let (base_url, api_key) = (server.url().to_owned(), server.api_key().clone());
        let pressure = Pressure::default();
        Ok(Self {
            name: eval_record::LOCAL.to_owned(),
            client: gated(&base_url, &api_key, &pressure)?,
            pressure,
            guarantees: Some(server.guarantees().clone()),
            base_url,
            api_key,
            platform: Some((server, data)),
        })
    }

    fn remote(name: &str, url: &str) -> Result<Self, CliError> {
        // It would be in every record and report.
        if url.split_once("://").is_some_and(|(_, rest)| {
            rest.split(['/', '?', '#']).next().is_some_and(|host| host.contains('@'))
        }) {
            return Err(CliError::new(Exit::Usage, "the URL of the target has credentials in it")
                .hint("leave them out, and set RUNLOOP_API_KEY to the key"));
        }
        let Ok(key) = std::env::var("RUNLOOP_API_KEY") else {
            return Err(CliError::new(Exit::Target, format!("there is no key for {name}"))
                .hint("set RUNLOOP_API_KEY, or use --target local, which needs none"));
        };
        let api_key = SecretString::from(key);
        let pressure = Pressure::default();
        hiding::hide([api_key.expose_secret()]);
        Ok(Self {
            name: name.to_owned(),
            client: gated(url, &api_key, &pressure)?,
            pressure,
            base_url: url.to_owned(),
            api_key,
            guarantees: None,
            platform: None,
        })
    }

    pub(crate) fn is_local(&self) -> bool {
        self.platform.is_some()
    }

    /// Ends the local platform and all it made.
    pub(crate) async fn close(self) {
        if let Some((server, data)) = self.platform {
            server.shutdown().await;
            drop(data);
        }
    }
}

/// Where Runloop is, for this environment.
fn cloud_url() -> String {
    std::env::var("RUNLOOP_BASE_URL").unwrap_or_else(|_| DEFAULT_BASE_URL.to_owned())
}

/// Whether two names of targets name one place. Where they do not, it may be one all the same: a machine has many names.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    let address = |name: &str| {
        let url = if name == "cloud" { cloud_url() } else { name.to_owned() };
        url.trim_end_matches('/').to_ascii_lowercase()
    };
    address(one) == address(other)
}

/// The client of a run: what it asks passes the gate.
fn gated(url: &str, key: &SecretString, pressure: &Pressure) -> Result<Client, CliError> {
    client(url, key, |builder| builder.gate(Arc::new(pressure.clone())))
}

fn client(
    url: &str,
    key: &SecretString,
    adjust: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> Result<Client, CliError> {
    adjust(Client::builder().base_url(url).api_key(key.expose_secret()))
        .build()
        .map_err(|error| CliError::wrap(Exit::Target, format!("{url} cannot be used"), &error))
}

/// Where a platform keeps its data.
#[derive(Debug)]
pub(crate) enum Data {
    /// In a directory that ends with it, so that secrets need not be written at all.
    ForOneRun(PathBuf),
    /// In a directory of the user's, for the next platform too.
    Kept(PathBuf),
}

/// Starts the embedded platform.
pub(crate) async fn start_server(
    port: u16,
    api_key: Option<SecretString>,
    data: Data,
    isolation: &IsolationArgs,
) -> Result<Server, CliError> {
    let (data_dir, keeps_secrets) = match data {
        Data::ForOneRun(path) => (path, false),
        Data::Kept(path) => (path, true),
    };
    let sandbox = SandboxSource::Open(sandbox_options(data_dir.join("sandbox"), isolation));
    Server::start(ServerOptions {
        bind_port: port,
        api_key,
        data_dir,
        keeps_secrets,
        sandbox,
        base: Base::Host,
        expose: Vec::new(),
    })
    .await
    .map_err(|error| {
        let wrapped = CliError::wrap(Exit::Target, "the local platform does not start", &error);
        match error {
            StartError::Bind { .. } => wrapped.hint("choose another port, or 0 for any free one"),
            StartError::Sandbox(error) => wrapped.hint(hint(&error)),
            _ => wrapped,
        }
    })
}

fn hint(error: &OpenError) -> &'static str {
    match error {
        OpenError::OnlyWeak { .. } => "`runloop-eval doctor` says what is missing; --allow-weak accepts it",
        _ => "`runloop-eval doctor` says what this machine can isolate and what would improve it",
    }
}

/// Options of a sandbox as the command line asks for it.
pub(crate) fn sandbox_options(state_dir: PathBuf, isolation: &IsolationArgs) -> SandboxOptions {
    let driver = match isolation.driver {
        Driver::Auto => DriverChoice::Auto,
        Driver::Process => DriverChoice::Only(DriverKind::Process),
        Driver::Namespaces if is_root() => DriverChoice::Only(DriverKind::NamespacesRoot),
        Driver::Namespaces => DriverChoice::Only(DriverKind::NamespacesUser),
    };
    SandboxOptions { state_dir, driver, allow_weak: isolation.allow_weak, helper: None }
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;

    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_isolation_is_accepted_in_words_that_can_be_typed() {
        let error = OpenError::OnlyWeak { reason: "no namespaces".to_owned(), hint: "allow them".to_owned() };
        assert!(!error.to_string().contains("allow_weak"), "{error}");
        assert!(hint(&error).contains("--allow-weak"));
    }
}
