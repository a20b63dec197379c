//! A devbox as a scorer sees it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use eval_record::Cause;
use eval_scoring::{Command, Output, Workspace, WorkspaceFile};
use runloop_types::DevboxId;
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::archive::Archive;
use crate::artifacts::{self, Obstacle};
use crate::command::Ended;
use crate::failure::Failure;
use crate::patience::insist;
use crate::platform::{Platform, PlatformError, PlatformErrorKind};
use crate::session::Session;
use crate::shell::{enter, exports, quote};

/// Time for the harness's own file commands.
const FILE_COMMANDS: Duration = Duration::from_secs(120);

/// Most bytes read from a workspace at once.
const READ_LIMIT: u64 = 64 << 20;

/// A devbox whose agent is gone, seen from its working directory.
pub(crate) struct DevboxWorkspace<P> {
    session: Arc<Session<P>>,
    devbox: DevboxId,
    working_directory: String,
    /// Whether the disk is as the agent left it: what cannot be done there was made impossible by the agent.
    is_agents: bool,
    /// Whether an agent's work is on it, wherever the rest comes from.
    has_work: bool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Files that are not in the devbox yet: all of a scorer's go in two requests.
    pending: BTreeMap<String, Vec<u8>>,
    /// A scorer ran out of time: what it started must end before the next one starts.
    must_reap: bool,
}

/// Nothing can be scored here.
#[derive(Debug, thiserror::Error)]
#[error("{}", match .0 { Obstacle::Unusable(why) => why, Obstacle::Failure(failure) => &failure.message })]
pub(crate) struct WorkspaceError(pub(crate) Obstacle);

impl From<Failure> for WorkspaceError {
    fn from(failure: Failure) -> Self {
        Self(failure.into())
    }
}

impl<P: Platform> DevboxWorkspace<P> {
    pub(crate) fn new(
        session: &Arc<Session<P>>,
        devbox: &DevboxId,
        working_directory: &str,
        is_agents: bool,
        has_work: bool,
    ) -> Self {
        Self {
            is_agents,
            has_work,
            session: Arc::clone(session),
            devbox: devbox.clone(),
            working_directory: working_directory.to_owned(),
            state: Mutex::default(),
        }
    }

    async fn blame(&self, doing: &str, error: PlatformError) -> WorkspaceError {
        WorkspaceError(if self.is_agents {
            artifacts::of_agent(&self.session, &self.devbox, doing, error).await
        } else {
            self.session.blame(&self.devbox, doing, &error).await.into()
        })
    }

    /// A command of the harness itself, not of a scorer, that failed.
    fn failed(&self, doing: &str, ended: &Ended) -> WorkspaceError {
        let message = format!("cannot {doing}: {}", ended.tail());
        WorkspaceError(if self.is_agents {
            Obstacle::Unusable(message)
        } else {
            Failure::new(Cause::ScorerError, message).into()
        })
    }

    /// There is more to read than anyone reads. Where an agent worked, it made it so.
    fn too_much(&self, doing: &str) -> WorkspaceError {
        let message = format!("cannot {doing}: there are more than {} MiB of them", READ_LIMIT >> 20);
        if self.has_work {
            WorkspaceError(Obstacle::Unusable(message))
        } else {
            Failure::new(Cause::ScorerError, message).into()
        }
    }

    /// Why a scorer without a score can blame the agent: nothing works on the disk that it left. Looks only where the agent
    /// could do that.
    pub(crate) async fn ruin(&self) -> Result<Option<String>, Failure> {
        if !self.is_agents {
            return Ok(None);
        }
        let doing = "work in the devbox as the agent left it";
        let line = format!("{enter}{ROOM}", enter = enter(&self.working_directory));
        match self.session.command(&self.devbox, line, FILE_COMMANDS, 64 << 10).await {
            Ok(ended) if ended.exit_status == Some(0) && ended.stdout.exact_text().contains(ALIVE) => {
                Ok(None)
            }
            Ok(ended) => Ok(Some(format!("cannot {doing}: {}", ended.tail()))),
            Err(error) => match artifacts::of_agent(&self.session, &self.devbox, doing, error).await {
                Obstacle::Unusable(why) => Ok(Some(why)),
                Obstacle::Failure(failure) => Err(failure),
            },
        }
    }

    /// Ends leftovers of a timed-out scorer and puts pending files in place.
    async fn settle(&self, state: &mut State) -> Result<(), WorkspaceError> {
        if std::mem::take(&mut state.must_reap) {
            self.session.suspend(&self.devbox).await?;
            self.session.resume(&self.devbox).await?;
        }
        let files = std::mem::take(&mut state.pending);
        if files.is_empty() {
            return Ok(());
        }
        let doing = "write the scorer's files";
        let harness = |error: std::io::Error| {
            WorkspaceError::from(Failure::harness(format!("cannot {doing}: {error}")))
        };
        let mut archive = Archive::new();
        let mut clear = String::new();
        for (number, (path, content)) in files.iter().enumerate() {
            // Members are numbered: whatever a path looks like, tar only ever sees harmless names.
            archive.file(&format!("f{number}"), content, false).map_err(harness)?;
            let _ = writeln!(clear, "put f{number} {}", quote(path));
        }
        let archive = archive.finish().map_err(harness)?;
        let place = format!(".runloop-eval/write-{}", Uuid::new_v4().simple());
        let target = format!("~/{place}.tgz");
        let upload = || self.session.platform.upload(&self.devbox, &target, archive.clone());
        if let Err(error) = insist(upload).await {
            return Err(self.blame(doing, error).await);
        }
        let line = format!(
            "place=\"$HOME\"/{place}\nmkdir -p \"$place\" && tar -xzf \"$place.tgz\" -C \"$place\" --no-same-owner || exit 1\n\
             rm -f \"$place.tgz\"\n{enter}{PUT}{clear}rm -rf \"$place\"\n",
            enter = enter(&self.working_directory),
        );
        let limit = self.session.options.limits.scorer_output;
        match self.session.command(&self.devbox, line, FILE_COMMANDS, limit).await {
            Ok(ended) if ended.exit_status == Some(0) => Ok(()),
            Ok(ended) => Err(self.failed(doing, &ended)),
            Err(error) => Err(self.blame(doing, error).await),
        }
    }

    /// A path as `download_file` wants it.
    fn absolute(&self, path: &str) -> String {
        if path.starts_with(['/', '~']) {
            return path.to_owned();
        }
        let directory = self.working_directory.trim_end_matches('/');
        match directory {
            "" | "." | "~" => format!("~/{path}"),
            _ if directory.starts_with(['/', '~']) => format!("{directory}/{path}"),
            _ => format!("~/{directory}/{path}"),
        }
    }
}

/// What is printed where things work.
const ALIVE: &str = "runloop-eval:alive";

/// Whether there is room for a scorer to work in: here, at home, and for temporary files.
const ROOM: &str = r#"for place in . "$HOME" "${TMPDIR:-/tmp}"; do
  file=$place/.runloop-eval-room
  rm -rf -- "$file" && head -c 8388608 /dev/zero >"$file" && rm -f -- "$file" || exit 1
done
echo runloop-eval:alive
"#;

/// Puts a file in place of whatever stands there. A relative path's directories are made; a link or a file where one of
/// them should be is removed, so that nothing is written outside of the working directory. An absolute path is the
/// harness's own choice, and its directories may well be links of the system.
const PUT: &str = r#"put() {
  case "$2" in
    /*|*..*) mkdir -p "$(dirname -- "$2")" || exit 1 ;;
    *)
      [ -w . ] || chmod u+rwx . 2>/dev/null
      at= rest=$(dirname -- "$2")
      while [ "$rest" != . ]; do
        part=${rest%%/*}
        at=$at$part
        if [ -L "$at" ] || { [ -e "$at" ] && [ ! -d "$at" ]; }; then rm -f -- "./$at" || exit 1; fi
        [ -d "./$at" ] || mkdir -- "./$at" || exit 1
        [ -w "./$at" ] && [ -x "./$at" ] || chmod u+rwx -- "./$at" 2>/dev/null
        at=$at/
        case "$rest" in */*) rest=${rest#*/} ;; *) rest=. ;; esac
      done ;;
  esac
  [ ! -d "$2" ] || [ -L "$2" ] || chmod -R u+rwX -- "$2" 2>/dev/null
  rm -rf -- "$2" && mv -- "$place/$1" "$2" || exit 1
}
"#;

impl<P: Platform> Workspace for DevboxWorkspace<P> {
    type Error = WorkspaceError;

    async fn exec(&self, command: &Command) -> Result<Output, WorkspaceError> {
        let mut state = self.state.lock().await;
        self.settle(&mut state).await?;
        let variables = command.env.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let line = format!("{}{}{}", enter(&self.working_directory), exports(variables), command.line);
        let limit = self.session.options.limits.scorer_output;
        match self.session.command(&self.devbox, line, command.timeout, limit).await {
            Ok(ended) => {
                state.must_reap = ended.exit_status.is_none();
                Ok(Output {
                    exit_status: ended.exit_status,
                    stdout: ended.stdout.text(),
                    hidden_stdout: ended.stdout.hidden_text(),
                    stderr: ended.stderr.text(),
                    stdout_cut: ended.stdout.is_cut(),
                })
            }
            Err(error) => Err(self.blame("run a scorer's command", error).await),
        }
    }

    async fn write(&self, path: &str, content: &[u8]) -> Result<(), WorkspaceError> {
        self.state.lock().await.pending.insert(path.to_owned(), content.to_vec());
        Ok(())
    }

    async fn read(&self, path: &str) -> Result<Option<Vec<u8>>, WorkspaceError> {
        let mut state = self.state.lock().await;
        self.settle(&mut state).await?;
        let path = self.absolute(path);
        match insist(|| self.session.platform.download(&self.devbox, &path, READ_LIMIT)).await {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.may_be_agents() => match self.session.platform.devbox(&self.devbox).await {
                Ok(view) if !view.status.is_final() => Ok(None),
                _ => Err(self.blame("read a file", error).await),
            },
            Err(error) => Err(self.blame("read a file", error).await),
        }
    }

    async fn files(
        &self,
        directory: &str,
        extensions: &[String],
        max_file_bytes: u64,
    ) -> Result<Vec<WorkspaceFile>, WorkspaceError> {
        let doing = "read the files to search";
        let mut state = self.state.lock().await;
        self.settle(&mut state).await?;
        let archive = format!(".runloop-eval/files-{}.tgz", Uuid::new_v4().simple());
        let names: Vec<String> =
            extensions.iter().map(|extension| format!("-name {}", quote(&format!("*{extension}")))).collect();
        let names = if names.is_empty() { "-true".to_owned() } else { names.join(" -o ") };
        let start =
            if directory.starts_with('/') { quote(directory) } else { format!("./{}", quote(directory)) };
        let line = format!(
            "mkdir -p .runloop-eval\narchive=\"$HOME\"/{archive}\n{enter}[ -d {start} ] || exit 44\n\
             set -o pipefail\nfind -P {start} -type f -size -{size}c '(' {names} ')' -print0 | sort -z \
             | tar --null --verbatim-files-from -T - -czf \"$archive\"\n",
            enter = enter(&self.working_directory),
            size = max_file_bytes.saturating_add(1),
        );
        let limit = self.session.options.limits.scorer_output;
        match self.session.command(&self.devbox, line, FILE_COMMANDS, limit).await {
            Ok(ended) if ended.exit_status == Some(0) => {}
            Ok(ended) if ended.exit_status == Some(44) => return Ok(Vec::new()),
            Ok(ended) => return Err(self.failed(doing, &ended)),
            Err(error) => return Err(self.blame(doing, error).await),
        }
        let packed = format!("~/{archive}");
        match insist(|| self.session.platform.download(&self.devbox, &packed, READ_LIMIT)).await {
            Ok(archive) => tokio::task::spawn_blocking(move || unpack(&archive, max_file_bytes))
                .await
                .map_err(|error| Failure::harness(error.to_string()))?
                .map_err(|error| match error.kind() {
                    std::io::ErrorKind::FileTooLarge => self.too_much(doing),
                    _ => Failure::new(Cause::ScorerError, format!("cannot {doing}: {error}")).into(),
                }),
            Err(error) if error.kind == PlatformErrorKind::TooLarge => Err(self.too_much(doing)),
            Err(error) => Err(self.blame(doing, error).await),
        }
    }
}

/// The files of an archive. It comes from a devbox: names are only ever labels, sizes are bounded.
fn unpack(archive: &[u8], max_file_bytes: u64) -> std::io::Result<Vec<WorkspaceFile>> {
    let mut files = Vec::new();
    let mut room = READ_LIMIT * 4;
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(archive));
    for entry in archive.entries()? {
        let mut entry = entry?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let path = String::from_utf8_lossy(&entry.path_bytes()).trim_start_matches("./").to_owned();
        let mut content = Vec::new();
        entry.by_ref().take(max_file_bytes.min(room)).read_to_end(&mut content)?;
        room -= content.len() as u64;
        if room == 0 {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        files.push(WorkspaceFile { path, content });
    }
    Ok(files)
}
