//! Every program of `examples/client`, run to its end: against the embedded platform where that serves its endpoints, else
//! against a server that plays a script. What a program prints must be what its own documentation shows.
//!
//! Has its own `main` to say of each, also when everything passes, which of the two servers it ran against.

mod documented;
mod leftovers;
mod programs;
mod script;
#[path = "../support/serving.rs"]
mod serving;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{ExitCode, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};

use documented::Documented;
use programs::Programs;
use script::ScriptedServer;
use serving::Serving;

/// Where the programs are.
const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/client");

const API_KEY: &str = "examples-key";

/// Longest run of one program.
const LONGEST: Duration = Duration::from_secs(120);

/// Which server an example runs against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Against {
    /// `runloop-eval serve`: real devboxes.
    Embedded,
    /// The file of its name in `scripts`, for endpoints that the embedded platform does not serve.
    Scripted,
}
use Against::{Embedded, Scripted};

impl Against {
    fn name(self) -> &'static str {
        match self {
            Embedded => "embedded",
            Scripted => "scripted",
        }
    }
}

/// One example for each pattern of the guide, in its order.
const TABLE: [(&str, Against); 20] = [
    ("quick_start", Embedded),
    // `shell_name`
    ("named_shell", Scripted),
    ("streaming_output", Embedded),
    ("long_running_command", Embedded),
    ("files", Embedded),
    ("objects_and_mounts", Embedded),
    // `dockerfile` and `build_context` of blueprints
    ("build_context", Scripted),
    ("blueprint_from_dockerfile", Scripted),
    ("snapshots_and_forks", Embedded),
    // tunnels
    ("tunnels", Scripted),
    ("network_policy", Embedded),
    // scenarios, benchmarks and agents
    ("scenario_builder", Scripted),
    ("scenario_run", Scripted),
    ("benchmark_run", Scripted),
    ("agents", Scripted),
    ("custom_scorers", Scripted),
    // A server that fails as asked.
    ("error_handling", Scripted),
    ("polling_configuration", Embedded),
    ("pagination", Embedded),
    ("cleanup", Embedded),
];

/// What all examples share, made by the first one that needs it.
#[derive(Default)]
struct Shared {
    programs: OnceLock<Result<Programs, String>>,
    embedded: OnceLock<Result<Embedding, String>>,
}

struct Embedding {
    serving: Serving,
    /// Goes after the server.
    _data: tempfile::TempDir,
}

impl Shared {
    fn programs(&self) -> Result<&Programs, Failed> {
        let programs = self.programs.get_or_init(|| Programs::fresh(&TABLE.map(|(name, _)| name)));
        Ok(programs.as_ref()?)
    }

    fn embedded(&self) -> Result<&Serving, Failed> {
        let start = || {
            let data = tempfile::tempdir().map_err(|error| error.to_string())?;
            let serving = Serving::start(data.path(), API_KEY)?;
            Ok(Embedding { serving, _data: data })
        };
        Ok(&self.embedded.get_or_init(start).as_ref()?.serving)
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let shared = Arc::new(Shared::default());
    let mut trials: Vec<_> = TABLE
        .into_iter()
        .map(|(name, against)| {
            let shared = Arc::clone(&shared);
            Trial::test(name, move || run(&shared, name, against)).with_kind(against.name())
        })
        .collect();
    trials.push(Trial::test("every_example_is_in_the_tables", every_example_is_in_the_tables));
    let conclusion = libtest_mimic::run(&arguments, trials);
    if conclusion.has_failed() {
        return conclusion.exit_code();
    }
    // All have cleaned up after themselves.
    if let Some(Ok(embedding)) = shared.embedded.get() {
        match block_on(leftovers::find(&embedding.serving.url, API_KEY)) {
            Ok(left) if left.is_empty() => {}
            Ok(left) => {
                println!("the examples left behind:\n{}", left.join("\n"));
                return ExitCode::FAILURE;
            }
            Err(error) => {
                println!("cannot see what the examples left behind: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(future)
}

/// Runs one example and compares what it says with what it is documented to say.
fn run(shared: &Shared, name: &str, against: Against) -> Result<(), Failed> {
    let documented = Documented::read(&Path::new(EXAMPLES).join(name).with_extension("rs"))?;
    let command = format!("$ cargo run -p runloop-client --example {name}");
    if documented.command != command {
        return Err(
            format!("the example says {:?}, not how it is run: {command:?}", documented.command).into()
        );
    }
    let program = shared.programs()?.path(name);
    match against {
        Embedded => {
            let url = &shared.embedded()?.url;
            block_on(said(&program, url)).and_then(|said| documented.compare(&said))
        }
        Scripted => block_on(async {
            let path =
                format!("{}/../../tests/client_examples/scripts/{name}.json", env!("CARGO_MANIFEST_DIR"));
            let server = ScriptedServer::start(Path::new(&path)).await?;
            let said = said(&program, &server.url()).await;
            // What went wrong first is what the server saw.
            server.finish()?;
            documented.compare(&said?)
        }),
    }
}

/// Standard output of a program that ends well and complains about nothing.
async fn said(program: &Path, url: &str) -> Result<String, Failed> {
    let output = tokio::process::Command::new(program)
        .env_clear()
        .env("RUNLOOP_BASE_URL", url)
        .env("RUNLOOP_API_KEY", API_KEY)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(LONGEST, output)
        .await
        .map_err(|_| format!("{} ran for more than {LONGEST:?}", program.display()))??;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr);
    if output.status.success() && stderr.is_empty() {
        Ok(stdout)
    } else {
        Err(format!("{}\n--- stdout\n{stdout}\n--- stderr\n{stderr}", output.status).into())
    }
}

/// The files, the README's table and the table here name the same examples; scripts are there for those that need one.
fn every_example_is_in_the_tables() -> Result<(), Failed> {
    let stems = |directory: &str, ending: &str| -> Result<BTreeSet<String>, Failed> {
        let mut names = BTreeSet::new();
        for entry in std::fs::read_dir(directory)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            names.extend(name.strip_suffix(ending).map(str::to_owned));
        }
        Ok(names)
    };
    let table = |wanted: fn(Against) -> bool| -> BTreeSet<String> {
        TABLE.iter().filter(|(_, against)| wanted(*against)).map(|(name, _)| (*name).to_owned()).collect()
    };
    let readme = std::fs::read_to_string(Path::new(EXAMPLES).join("README.md"))?;
    let rows: Vec<_> =
        readme.lines().filter_map(|line| line.strip_prefix("| [`")?.split_once("`](")).collect();
    let all = table(|_| true);
    same("examples/client", &stems(EXAMPLES, ".rs")?, &all)?;
    same("the README's table", &rows.iter().map(|(name, _)| (*name).to_owned()).collect(), &all)?;
    for ((name, rest), (wanted, against)) in rows.iter().zip(TABLE) {
        let row = (*name == wanted && rest.starts_with(&format!("{name}.rs)")))
            .then(|| rest.trim_end_matches([' ', '|']).ends_with(against.name()));
        if row != Some(true) {
            return Err(
                format!("the README's row of {name} is to be that of {wanted} ({})", against.name()).into()
            );
        }
    }
    let scripts = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/client_examples/scripts");
    same("the scripts", &stems(scripts, ".json")?, &table(|against| against == Scripted))
}

fn same(what: &str, found: &BTreeSet<String>, wanted: &BTreeSet<String>) -> Result<(), Failed> {
    let missing: Vec<_> = wanted.difference(found).collect();
    let surplus: Vec<_> = found.difference(wanted).collect();
    if missing.is_empty() && surplus.is_empty() {
        return Ok(());
    }
    Err(format!("{what}: missing {missing:?}, not in the test's table {surplus:?}").into())
}
