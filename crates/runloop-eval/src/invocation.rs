//! What was typed to start a run, in a form that the record keeps.

use clap::ValueEnum;
use eval_record::{Invocation, TypedLimits};

use crate::args::{Driver, IsolationArgs, LimitArgs, RunArgs, TargetArgs, VerifyMode};
use crate::error::CliError;
use crate::exit::Exit;

/// As typed now.
pub(crate) fn typed(args: &RunArgs) -> Result<Invocation, CliError> {
    let directory = std::env::current_dir()
        .map_err(|error| CliError::wrap(Exit::Usage, "the current directory is gone", &error))?;
    let benchmark = args.benchmark.as_deref().unwrap_or(&directory);
    let isolation = &args.target.isolation;
    Ok(Invocation {
        benchmark: benchmark.display().to_string(),
        directory: directory.display().to_string(),
        agents: args.agent.clone(),
        filter: args.execution.filter.clone(),
        verify: args.verify.as_ref().map(name),
        keep_devboxes: args.keep_devboxes,
        driver: (isolation.driver != Driver::Auto).then(|| name(&isolation.driver)),
        allow_weak: isolation.allow_weak,
        limits: limits(&args.limits),
    })
}

/// What a run must reach, as typed now.
pub(crate) fn limits(args: &LimitArgs) -> TypedLimits {
    let LimitArgs { min_score, min_pass_rate, floor, max_invalid, max_flagged, baseline, max_regression } =
        args.clone();
    let floors = floor.into_iter().collect();
    TypedLimits { min_score, min_pass_rate, floors, max_invalid, max_flagged, baseline, max_regression }
}

/// Where scoring happens, if that was typed.
pub(crate) fn verify(invocation: &Invocation) -> Result<Option<VerifyMode>, CliError> {
    invocation.verify.as_deref().map(value).transpose()
}

/// Its target, which is called so.
pub(crate) fn target(invocation: &Invocation, name: String) -> Result<TargetArgs, CliError> {
    let driver = invocation.driver.as_deref().map(value).transpose()?.unwrap_or_default();
    let isolation = IsolationArgs { driver, allow_weak: invocation.allow_weak };
    Ok(TargetArgs { target: Some(name), isolation })
}

fn name(value: &impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

fn value<T: ValueEnum>(name: &str) -> Result<T, CliError> {
    T::from_str(name, false).map_err(|_| {
        let message = format!("the run was started with `{name}`, which this version does not know");
        CliError::new(Exit::Usage, message).hint("start a new run")
    })
}
