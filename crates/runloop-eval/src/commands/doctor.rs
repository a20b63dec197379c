//! `doctor`: what this machine can isolate.

use runloop_sandbox::{DriverKind, Guarantee, Guarantees, Probe, Sandbox};

use crate::args::{DoctorArgs, DoctorFormat};
use crate::commands::{print, print_json};
use crate::error::CliError;
use crate::exit::Exit;
use crate::state::Ephemeral;
use crate::target::sandbox_options;

/// Probes by doing and says what was found. Fails when no sandbox can be had.
pub(crate) fn run(args: &DoctorArgs) -> Result<Exit, CliError> {
    let data = Ephemeral::create(|name| std::env::var_os(name))
        .map_err(|error| CliError::wrap(Exit::Target, "no directory for the probe", &error))?;
    let isolation = crate::args::IsolationArgs { driver: crate::args::Driver::Auto, allow_weak: false };
    let probe = Sandbox::probe(&sandbox_options(data.path().join("sandbox"), &isolation));
    match args.format {
        DoctorFormat::Text => print(&describe(&probe))?,
        DoctorFormat::Json => print_json(&probe)?,
    }
    Ok(if probe.drivers.is_empty() { Exit::Target } else { Exit::Done })
}

fn describe(probe: &Probe) -> String {
    let mut lines = vec!["What was tried:".to_owned()];
    for step in &probe.steps {
        let mark = if step.works { "✓" } else { "✗" };
        lines.push(format!("  {mark} {}: {}", step.what, step.detail));
        if let Some(remedy) = step.remedy.as_ref().filter(|_| !step.works) {
            lines.push(format!("      to improve it: {remedy}"));
        }
    }
    lines.push(String::new());
    match probe.drivers.first() {
        Some(best) => {
            lines.push(format!("Devboxes here are made by {}:", driver_name(best.driver)));
            lines.extend(promises(best).into_iter().map(|line| format!("  {line}")));
            for other in &probe.drivers[1..] {
                lines.push(format!("Also possible: {}", driver_name(other.driver)));
            }
            if best.driver == DriverKind::Process && !probe.in_container {
                lines.push("Outside a container this needs --allow-weak.".to_owned());
            }
        }
        None => lines.push("No devbox can be made here.".to_owned()),
    }
    lines.join("\n") + "\n"
}

/// What people call a driver.
pub(crate) fn driver_name(driver: DriverKind) -> &'static str {
    match driver {
        DriverKind::NamespacesRoot => "Linux namespaces, as root with shifted ids",
        DriverKind::NamespacesUser => "Linux namespaces, as an ordinary user",
        DriverKind::Process => "private directories (no namespaces)",
    }
}

/// One line a promise.
pub(crate) fn promises(guarantees: &Guarantees) -> Vec<String> {
    [
        ("files", &guarantees.files),
        ("processes", &guarantees.processes),
        ("network none", &guarantees.network_none),
        ("memory limit", &guarantees.memory),
        ("process limit", &guarantees.pids),
        ("CPU limit", &guarantees.cpus),
        ("disk limit", &guarantees.disk),
    ]
    .into_iter()
    .map(|(name, guarantee)| match guarantee {
        Guarantee::Enforced(by) => format!("{name:<14} enforced: {by}"),
        Guarantee::Watched(by) => format!("{name:<14} watched: {by}"),
        Guarantee::None(why) => format!("{name:<14} not held: {why}"),
    })
    .collect()
}
