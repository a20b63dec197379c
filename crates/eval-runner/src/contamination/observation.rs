//! What is looked at in one trial.

use std::sync::Arc;
use std::time::Duration;

use eval_builder::AgentKind;
use eval_record::{Captured, Flag, Masker};
use runloop_types::{DevboxId, Mount};

use super::output::Work;
use super::{Before, Watch, unharmed};
use crate::plan::Trial;
use crate::platform::Platform;
use crate::prepare::Prepared;
use crate::session::Session;
use crate::shell::enter;
use crate::work::Job;

/// For a look at a disk. It takes milliseconds.
const TIME: Duration = Duration::from_secs(20);

/// Bytes that a look may tell.
const TOLD: usize = 256 << 10;

/// What is looked at in a trial of an agent that may cheat.
#[derive(Debug)]
pub(crate) struct Observation<'a> {
    watch: Watch,
    before: Option<&'a Before>,
    masker: &'a Masker,
    directory: &'a str,
    /// The file that the agent's devbox got with the task, below the home directory.
    task: String,
}

impl<'a> Observation<'a> {
    /// `None` for the agents of this program, which do what they are made to.
    pub(crate) fn of(
        trial: &'a Trial,
        job: &Job,
        prepared: &'a Prepared,
        home: &str,
        masker: &'a Masker,
    ) -> Option<Self> {
        if is_trusted(&trial.agent.kind) {
            return None;
        }
        let task = job.mounts.iter().rev().find_map(|mount| match mount {
            Mount::FileMount { target, .. } => target.strip_prefix(home)?.strip_prefix('/'),
            _ => None,
        });
        Some(Self {
            watch: Watch::of(&trial.scenario),
            before: prepared.before.as_ref(),
            masker,
            directory: &trial.scenario.environment.working_directory,
            task: task?.to_owned(),
        })
    }

    /// What the prepared environment gives away.
    pub(crate) fn environment(&self) -> Vec<Flag> {
        unharmed(|| self.before.map(|before| before.flags(&self.watch)).unwrap_or_default())
    }

    /// Commands that tell what the agent did to the disk.
    pub(crate) fn commands(&self) -> String {
        let look = unharmed(|| self.watch.after(&self.task, self.before));
        format!("( {}{look}) </dev/null 2>/dev/null || :\n", enter(self.directory))
    }

    /// What the commands told.
    pub(crate) fn disk(&self, output: &Captured) -> Vec<Flag> {
        unharmed(|| self.watch.seen(output, self.before, self.masker))
    }

    /// Looks at a disk on which the agent does not work any more. What cannot be seen there is no flag. Where nothing was
    /// prepared there is little to see, and it is not worth the request.
    pub(crate) async fn look<P: Platform>(&self, session: &Arc<Session<P>>, devbox: &DevboxId) -> Vec<Flag> {
        if self.before.is_none() {
            return Vec::new();
        }
        match session.command(devbox, self.commands(), TIME, TOLD).await {
            Ok(ended) => self.disk(&ended.stdout),
            Err(error) => {
                tracing::debug!(%devbox, %error, "cannot look for signs of contamination");
                Vec::new()
            }
        }
    }

    /// What the agent said: its outputs and commands, by their names in the record.
    pub(crate) fn said(&self, texts: &[(&'static str, &str)]) -> Vec<Flag> {
        let mask = |(name, text): &(&'static str, &str)| (*name, self.masker.mask_text(text));
        self.read(|| Work { texts: texts.iter().map(mask).collect(), ..Work::default() })
    }

    /// What the agent changed.
    pub(crate) fn changed(&self, diff: &[u8]) -> Vec<Flag> {
        self.read(|| Work {
            diff: Some(String::from_utf8_lossy(&self.masker.mask(diff)).into_owned()),
            ..Work::default()
        })
    }

    fn read(&self, work: impl FnOnce() -> Work) -> Vec<Flag> {
        let nothing = Before::default();
        unharmed(|| self.watch.read(&work(), self.before.unwrap_or(&nothing)))
    }
}

/// Whether an agent is one that has no reason to cheat.
pub(crate) fn is_trusted(agent: &AgentKind) -> bool {
    matches!(agent, AgentKind::Oracle | AgentKind::Nop)
}
