//! What a run may take: from options and the benchmark, and whether that can hold.

use std::sync::Arc;
use std::time::Duration;

use eval_builder::{Agent, AgentKind, Benchmark, UsageFile};
use eval_record::Budget;
use eval_report::dollars;
use eval_runner::Plan;

use crate::args::BudgetArgs;
use crate::error::CliError;
use crate::exit::Exit;

/// Options replace what the run has had so far, if it goes on, and that what the benchmark says.
pub(crate) fn resolve(args: &BudgetArgs, earlier: Budget, benchmark: &Benchmark) -> Budget {
    let asked = benchmark.budget;
    Budget {
        max_devbox_minutes: args
            .max_devbox_minutes
            .or(earlier.max_devbox_minutes)
            .or(asked.max_devbox_minutes),
        max_cost_usd: args.max_cost.or(earlier.max_cost_usd).or(asked.max_cost),
    }
}

/// Refuses agents that neither say nor bound their cost, where it is to be kept to a budget.
pub(crate) fn demand_costs(budget: &Budget, agents: &[Arc<Agent>]) -> Result<(), CliError> {
    if budget.max_cost_usd.is_none() {
        return Ok(());
    }
    let silent: Vec<&str> =
        agents.iter().filter(|agent| !tells_cost(agent)).map(|agent| agent.name.as_str()).collect();
    if silent.is_empty() {
        return Ok(());
    }
    let message = format!("a budget of money cannot hold: no cost is known of {}", silent.join(", "));
    Err(CliError::new(Exit::Usage, message).hint(
        "say in the agent's file where it writes its cost (`usage`), or its tokens and their `prices`, or give it `max_cost`",
    ))
}

fn is_free(agent: &Agent) -> bool {
    matches!(agent.kind, AgentKind::Oracle | AgentKind::Nop | AgentKind::Control(_))
}

fn tells_cost(agent: &Agent) -> bool {
    let says = |usage: &UsageFile| usage.cost_usd.is_some() || agent.prices.is_some();
    is_free(agent) || agent.max_cost.is_some() || agent.usage.as_ref().is_some_and(says)
}

/// What the planned trials may take at most, as far as that is known before the first of them:
/// `budget: 60 devbox minutes, $5.00; at most 480 devbox minutes by the timeouts, $32.00 by max_cost`. `None` if nobody asked.
pub(crate) fn forecast(budget: &Budget, plan: &Plan) -> Option<String> {
    let Budget { max_devbox_minutes, max_cost_usd } = *budget;
    let bounds: Option<Vec<f64>> = plan
        .trials
        .iter()
        .map(|trial| if is_free(&trial.agent) { Some(0.0) } else { trial.agent.max_cost })
        .collect();
    let cost = bounds.map(|bounds| bounds.iter().sum::<f64>()).filter(|cost| *cost > 0.0);
    if max_devbox_minutes.is_none() && max_cost_usd.is_none() && cost.is_none() {
        return None;
    }
    let mut may: Vec<String> = Vec::new();
    may.extend(max_devbox_minutes.map(|minutes| format!("{minutes} devbox minutes")));
    may.extend(max_cost_usd.map(dollars));
    let mut could: Vec<String> = Vec::new();
    if max_devbox_minutes.is_some() {
        let time: Duration = plan
            .trials
            .iter()
            .map(|trial| {
                let scenario = &trial.scenario;
                scenario.working_time(trial.agent.timeout.unwrap_or(scenario.agent_timeout))
            })
            .fold(Duration::ZERO, Duration::saturating_add);
        could.push(format!("{:.0} devbox minutes by the timeouts", time.as_secs_f64() / 60.0));
    }
    could.extend(cost.map(|cost| format!("{} by `max_cost`", dollars(cost))));
    let parts = [("budget: ", may), ("at most ", could)];
    let parts = parts.into_iter().filter(|(_, items)| !items.is_empty());
    Some(parts.map(|(label, items)| format!("{label}{}", items.join(", "))).collect::<Vec<_>>().join("; "))
}
