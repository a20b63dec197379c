//! `cargo xtask bench client`: the client and the official async Python SDK against the same trivial local server.
//!
//! Server and loads are processes of their own, release builds all of them, so that what one uses has nothing of the
//! others in it.

mod copy;
mod sdk;
mod server;

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::{cargo, cpu};
use crate::table;

/// Size of the object that is moved.
const OBJECT_BYTES: u64 = 1 << 30;

/// Waits that are begun at once while memory is looked at: few, as many as the SDK's pool lets wait, and many.
const WAITS: [usize; 4] = [0, 80, 320, 1000];

/// Files of the tree that is archived.
const FILES: usize = 20_000;

/// Calls in flight, calls that ours makes, calls that the SDK makes.
const LOADS: [(usize, usize, usize); 3] = [(1, 20_000, 600), (32, 40_000, 1_000), (256, 40_000, 1_500)];

/// Times that each transfer is made; the fastest counts, as everything else that happens only slows it down.
const TRANSFERS: usize = 3;

/// Runs the whole bench.
pub(super) fn run() -> Result<(), String> {
    let program = build()?;
    let directory = std::env::temp_dir().join(format!("runloop-client-bench-{}", std::process::id()));
    std::fs::create_dir_all(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let outcome = tables(&program, &directory);
    let _ = std::fs::remove_dir_all(&directory);
    outcome
}

/// One of the processes that the bench is made of.
pub(super) fn part(args: &[String]) -> Result<(), String> {
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["serve"] => server::run(),
        ["copy", address, path] => copy::run(address, Path::new(path)),
        _ => Err(format!("there is no part {words:?}")),
    }
}

fn build() -> Result<PathBuf, String> {
    let status = cargo()
        .args(["build", "--quiet", "--release", "--locked", "--package", "xtask"])
        .status()
        .map_err(|error| format!("cannot start cargo: {error}"))?;
    if !status.success() {
        return Err("the release build failed".into());
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    std::path::absolute(target.join("release/xtask")).map_err(|error| error.to_string())
}

fn tables(program: &Path, directory: &Path) -> Result<(), String> {
    println!(
        "{} cores, background load {:.0} % of one core before the first measurement\n",
        cpu::cores(),
        cpu::background(std::time::Duration::from_secs(2))? * 100.0
    );
    let server = Server::start(program)?;
    let load = &program.with_file_name("client-load");
    let bench = Bench { ours: Ours { program, load, server: &server }, sdk: sdk::find(&server), directory };
    bench.requests()?;
    bench.memory()?;
    bench.transfers()?;
    bench.archive()
}

/// Figures that a part printed, by name.
type Figures = HashMap<String, f64>;

struct Bench<'a> {
    ours: Ours<'a>,
    sdk: Result<sdk::Sdk, String>,
    directory: &'a Path,
}

struct Ours<'a> {
    program: &'a Path,
    load: &'a Path,
    server: &'a Server,
}

impl Ours<'_> {
    fn measure(&self, what: &str, arguments: &[&str]) -> Result<Figures, String> {
        figures(Command::new(self.load).args([what, &self.server.url]).args(arguments))
    }

    fn copy(&self, path: &str) -> Result<Figures, String> {
        figures(Command::new(self.program).args(["bench", "client-part", "copy", &self.server.plain, path]))
    }
}

impl Bench<'_> {
    fn requests(&self) -> Result<(), String> {
        let mut rows = Vec::new();
        for (concurrency, ours, sdk) in LOADS {
            let concurrency = concurrency.to_string();
            let cost = |figures: &Figures, calls: usize| {
                let (cpu, wall) = (figures["cpu"], figures["wall"]);
                (calls as f64 / wall, cpu * 1e6 / calls as f64)
            };
            let own = cost(&self.ours.measure("requests", &[&concurrency, &ours.to_string()])?, ours);
            let h2c = cost(&self.ours.measure("requests-h2c", &[&concurrency, &ours.to_string()])?, ours);
            let theirs = match &self.sdk {
                Ok(python) => {
                    Some(cost(&python.measure("requests", &[&concurrency, &sdk.to_string()])?, sdk))
                }
                Err(_) => None,
            };
            for (name, (rate, micros)) in [("ours", Some(own)), ("ours, HTTP/2", Some(h2c)), ("SDK", theirs)]
                .into_iter()
                .filter_map(|(name, cost)| Some((name, cost?)))
            {
                let ratio =
                    theirs.map_or_else(|| "-".to_owned(), |(_, theirs)| format!("{:.1}", theirs / micros));
                rows.push(vec![
                    concurrency.clone(),
                    name.to_owned(),
                    format!("{rate:.0}"),
                    format!("{micros:.0}"),
                    ratio,
                ]);
            }
        }
        table::print(
            "One `execute` call",
            &format!(
                "Requests to a server that answers at once, over plain HTTP to this machine. {} CPU is that of the client's \
                 process, user and system (targets: 15 times the SDK's requests per CPU second at 1, 40 times at 256, \
                 and a flat cost).",
                self.compared()
            ),
            &["in flight", "client", "requests/s", "CPU us/request", "x SDK, per CPU second"],
            &rows,
        );
        Ok(())
    }

    fn compared(&self) -> String {
        match &self.sdk {
            Ok(sdk) => format!("The SDK is the official async Python one, {}.", sdk.release),
            Err(reason) => format!("The official SDK was not measured: {reason}."),
        }
    }

    fn memory(&self) -> Result<(), String> {
        let mut rows = Vec::new();
        let mut theirs = HashMap::new();
        if let Ok(sdk) = &self.sdk {
            for waits in WAITS {
                theirs.insert(waits, sdk.measure("waits", &[&waits.to_string()])?);
            }
        }
        for (name, load) in [("ours", "waits"), ("ours, HTTP/2", "waits-h2c"), ("SDK", "")] {
            let mut before: Option<Figures> = None;
            for waits in WAITS {
                let figures = if load.is_empty() {
                    let Some(figures) = theirs.get(&waits) else { continue };
                    figures.clone()
                } else {
                    self.ours.measure(load, &[&waits.to_string()])?
                };
                let grown = |name: &str| {
                    let before = before.as_ref()?;
                    let open = figures["open"] - before["open"];
                    (open > 0.0).then(|| format!("{:.1}", (figures[name] - before[name]) / open))
                };
                let share = |name: &str| {
                    theirs.get(&waits).map_or_else(
                        || "-".to_owned(),
                        |theirs| format!("{:.1}", theirs[name] / figures[name]),
                    )
                };
                rows.push(vec![
                    name.to_owned(),
                    waits.to_string(),
                    format!("{:.0}", figures["open"]),
                    format!("{:.1}", figures["resident_kib"] / 1024.0),
                    share("resident_kib"),
                    format!("{:.1}", figures["anonymous_kib"] / 1024.0),
                    share("anonymous_kib"),
                    grown("resident_kib").unwrap_or_else(|| "-".to_owned()),
                    grown("anonymous_kib").unwrap_or_else(|| "-".to_owned()),
                ]);
                before = Some(figures);
            }
        }
        table::print(
            "Waits at once",
            "`await_running` on devboxes that do not become ready. Open is how many of them the server held at once (the \
             SDK's pool has 320 connections for waits). RSS is the whole process, anonymous what of it is no page of a \
             program or library; both from `/proc/self/smaps_rollup`, in MiB. KiB/wait is what each wait took that is \
             open here and was not in the row before (target: a tenth of the SDK's).",
            &[
                "client",
                "begun",
                "open",
                "RSS",
                "x less",
                "anonymous",
                "x less",
                "RSS KiB/wait",
                "anonymous KiB/wait",
            ],
            &rows,
        );
        Ok(())
    }

    fn transfers(&self) -> Result<(), String> {
        let path = self.directory.join("object");
        // As large as the object and without blocks on the disk: what is measured is not the disk.
        let file = std::fs::File::create(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        file.set_len(OBJECT_BYTES).map_err(|error| format!("{}: {error}", path.display()))?;
        let path = path.to_string_lossy();
        let size = OBJECT_BYTES.to_string();
        let mut rows = Vec::new();
        let mut floor = self.ours.copy(&path)?;
        for _ in 1..TRANSFERS {
            for (name, seconds) in self.ours.copy(&path)? {
                floor.entry(name).and_modify(|best| *best = best.min(seconds));
            }
        }
        let fastest = |measure: &dyn Fn() -> Result<Figures, String>| {
            let mut best = measure()?;
            for _ in 1..TRANSFERS {
                let next = measure()?;
                if next["wall"] < best["wall"] {
                    best = next;
                }
            }
            Ok::<_, String>(best)
        };
        let mut add = |name: &str, seconds: f64, floor: f64, figures: Option<&Figures>| {
            rows.push(vec![
                name.to_owned(),
                format!("{:.2}", OBJECT_BYTES as f64 / seconds / 1e9),
                format!("{:.2}", seconds / floor),
                figures
                    .map_or_else(|| "-".to_owned(), |figures| format!("{:.0}", figures["peak_kib"] / 1024.0)),
            ]);
        };
        let (up, down) = (floor["upload"], floor["download"]);
        add("plain copy, up", up, up, None);
        let ours = fastest(&|| self.ours.measure("upload", &[&path]))?;
        add("ours, up", ours["wall"], up, Some(&ours));
        if let Ok(sdk) = &self.sdk {
            let theirs = fastest(&|| sdk.measure("upload", &[&path]))?;
            add("SDK, up", theirs["wall"], up, Some(&theirs));
        }
        add("plain copy, down", down, down, None);
        let ours = fastest(&|| self.ours.measure("download", &[&size]))?;
        add("ours, down", ours["wall"], down, Some(&ours));
        if let Ok(sdk) = &self.sdk {
            let theirs = fastest(&|| sdk.measure("download", &[&size]))?;
            add("SDK, down", theirs["wall"], down, Some(&theirs));
        }
        table::print(
            "An object of 1 GiB",
            &format!(
                "From a file to a presigned URL, and from there to nowhere, over plain HTTP to this machine. The floor moves \
             the same bytes through a bare socket in pieces of 256 KiB (target: within 1.3). The fastest of \
             {TRANSFERS} each. Memory is the peak of the \
             client's process."
            ),
            &["what", "GB/s", "x floor's time", "peak MiB"],
            &rows,
        );
        Ok(())
    }

    fn archive(&self) -> Result<(), String> {
        let tree = self.directory.join("tree");
        make_tree(&tree).map_err(|error| format!("{}: {error}", tree.display()))?;
        let shown = tree.to_string_lossy();
        // Once beforehand, so that both find the files in memory.
        let plain = || {
            cpu::measure(|| {
                let command = format!("tar -cf - -C '{shown}' . | gzip -n > /dev/null");
                let status = Command::new("sh").args(["-c", &command]).status();
                if status.is_ok_and(|status| status.success()) {
                    Ok(())
                } else {
                    Err("tar | gzip failed".into())
                }
            })
        };
        plain()?;
        let floor = plain()?;
        let ours = self.ours.measure("archive", &[&shown])?;
        let row = |name: &str, wall: f64, cpu: f64| {
            let ratio = format!("{:.2}", wall / floor.wall);
            vec![name.to_owned(), format!("{wall:.2}"), ratio, format!("{cpu:.2}")]
        };
        table::print(
            &format!("An archive of {FILES} files"),
            "Small files of text; both compress at the default level.",
            &["what", "wall s", "x tar, gzip", "CPU s"],
            &[row("tar, gzip", floor.wall, floor.cpu), row("archive_dir", ours["wall"], ours["cpu"])],
        );
        Ok(())
    }
}

/// Files in directories of a hundred, with text that compresses as source code does.
fn make_tree(tree: &Path) -> std::io::Result<()> {
    for number in 0..FILES {
        let directory = tree.join(format!("package-{}", number / 100));
        if number % 100 == 0 {
            std::fs::create_dir_all(&directory)?;
        }
        let line = |n: usize| format!("    let value_{n} = compute({}, {});\n", n * 7919 % 1000, n ^ number);
        let text: String = (0..40 + number % 60).map(line).collect();
        std::fs::write(directory.join(format!("module_{number}.rs")), text)?;
    }
    Ok(())
}

/// Runs a part and reads its figures: lines of `name value`.
fn figures(command: &mut Command) -> Result<Figures, String> {
    let output =
        command.stderr(Stdio::inherit()).output().map_err(|error| format!("{command:?}: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        return Err(format!("{command:?} ended with {}", output.status));
    }
    let read = |line: &str| {
        let (name, value) = line.split_once(' ')?;
        Some((name.to_owned(), value.trim().parse().ok()?))
    };
    let found: Figures = text.lines().filter_map(read).collect();
    if found.is_empty() { Err(format!("{command:?} said {text:?}")) } else { Ok(found) }
}

/// The server's process. Ended with this value.
struct Server {
    child: Child,
    /// Of the API.
    url: String,
    /// Address of the bare socket.
    plain: String,
}

impl Server {
    fn start(program: &Path) -> Result<Self, String> {
        let mut child = Command::new(program)
            .args(["bench", "client-part", "serve"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", program.display()))?;
        let output = child.stdout.take();
        let mut server = Self { child, url: String::new(), plain: String::new() };
        let mut lines =
            output.into_iter().flat_map(|output| BufReader::new(output).lines()).map_while(Result::ok);
        server.url = lines.next().unwrap_or_default();
        server.plain = lines.next().ok_or("the server did not start")?;
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
