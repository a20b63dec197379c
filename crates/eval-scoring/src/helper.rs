//! Searches hostile files in a process that may die of them.
//!
//! Some files make a grammar's parser take all memory or abort: 64 KiB of `a<` do, as Java. So files are parsed by this very
//! program, executed again as a helper with bounded memory, no environment and nothing to gain. A file that kills its
//! helper, or takes too long, cannot be searched; the next one gets another helper, a few times.
//!
//! On its standard input the helper is asked with a line of JSON and then the file, and answers with a line of JSON.

use std::collections::HashMap;
use std::io::{self, BufRead, Read, Write};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::deep_stack::STACK_BYTES;
use crate::language::Language;
use crate::pattern::compile;
use crate::search::{Found, search};

/// The first argument of a helper.
const ARGUMENT: &str = "runloop-eval-search-helper";

/// Bounds the helper's memory, stack included, in KiB, and keeps it from dumping its core; where the system can do neither, it
/// does without.
const BOUNDED: &str = "ulimit -c 0 2>/dev/null; ulimit -v 1310720 2>/dev/null; exec \"$@\"";

/// Longest time for one file. One of the longest takes a second.
const FILE_TIMEOUT: Duration = Duration::from_secs(20);

/// Files that may kill their helper before no other is started.
const MOST_LOST: usize = 3;

/// This program, if its `main` called [`init`].
static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// Call this early in `main`, before arguments are looked at and threads are started.
///
/// In the re-executed helper process it never returns. Otherwise it lets ast-grep scorers use helpers: without it they
/// parse what an agent wrote in this very process, which some files can bring down.
pub fn init() {
    if std::env::args_os().nth(1).is_some_and(|argument| argument == ARGUMENT) {
        let served =
            thread::Builder::new().stack_size(STACK_BYTES).spawn(serve).map(thread::JoinHandle::join);
        std::process::exit(if matches!(served, Ok(Ok(Ok(())))) { 0 } else { 1 });
    }
    if let Ok(program) = std::env::current_exe() {
        // A second call changes nothing.
        let _ = PROGRAM.set(program);
    }
}

/// What the helper is asked; the file follows.
#[derive(Debug, Serialize, Deserialize)]
struct Question<'a> {
    language: &'a str,
    pattern: &'a str,
    bytes: usize,
}

fn serve() -> io::Result<()> {
    let mut input = io::stdin().lock();
    let mut output = io::stdout().lock();
    let mut patterns = HashMap::new();
    let mut line = String::new();
    loop {
        line.clear();
        if input.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let question: serde_json::Value = serde_json::from_str(&line)?;
        let text = |key: &str| question[key].as_str().unwrap_or_default().to_owned();
        let length = question["bytes"].as_u64().and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(0);
        let mut content = vec![0; length];
        input.read_exact(&mut content)?;
        let (language, pattern) = (text("language"), text("pattern"));
        let compiled = patterns.entry((language, pattern)).or_insert_with_key(|(language, pattern)| {
            let language = Language::by_name(language).ok_or("its language is not known")?;
            Ok::<_, String>((language.grammar, compile(pattern, language.grammar)?))
        });
        let answer = match compiled {
            Ok((grammar, pattern)) => search(&content, *grammar, pattern, &AtomicBool::new(false)),
            Err(reason) => Err(reason.clone()),
        };
        serde_json::to_writer(&mut output, &answer)?;
        output.write_all(b"\n")?;
        output.flush()?;
    }
}

/// Asks helpers, one after the other; the last one ends with it.
pub(crate) struct Helpers {
    program: PathBuf,
    current: Option<Helper>,
    lost: usize,
}

struct Helper {
    /// Killed when dropped.
    _child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Helpers {
    /// `None` if this program cannot be its own helper.
    pub(crate) fn new() -> Option<Self> {
        PROGRAM.get().map(|program| Self { program: program.clone(), current: None, lost: 0 })
    }

    /// Searches a file; the inner error says why it cannot be searched.
    ///
    /// # Errors
    ///
    /// If no helper can be started.
    pub(crate) async fn search(
        &mut self,
        content: &[u8],
        language: &'static Language,
        pattern: &str,
    ) -> io::Result<Result<Found, String>> {
        if self.lost >= MOST_LOST {
            return Ok(Err(format!("{MOST_LOST} other files killed the search")));
        }
        let mut helper = match self.current.take() {
            Some(helper) => helper,
            None => Helper::start(&self.program)?,
        };
        let question = Question { language: language.name(), pattern, bytes: content.len() };
        let reason = match tokio::time::timeout(FILE_TIMEOUT, helper.ask(&question, content)).await {
            Ok(Ok(Some(answer))) => {
                self.current = Some(helper);
                return Ok(answer);
            }
            Ok(_) => "its code breaks the parser".to_owned(),
            Err(_) => format!("parsing it takes longer than {FILE_TIMEOUT:?}"),
        };
        self.lost += 1;
        Ok(Err(reason))
    }
}

impl Helper {
    fn start(program: &PathBuf) -> io::Result<Self> {
        let mut child = Command::new("/bin/sh")
            .args(["-c", BOUNDED, "sh"])
            .arg(program)
            .arg(ARGUMENT)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let missing = || io::Error::other("the helper has no pipes");
        let input = child.stdin.take().ok_or_else(missing)?;
        let output = BufReader::new(child.stdout.take().ok_or_else(missing)?).lines();
        Ok(Self { _child: child, input, output })
    }

    /// `None`, or an error, if the helper died of it.
    async fn ask(
        &mut self,
        question: &Question<'_>,
        content: &[u8],
    ) -> io::Result<Option<Result<Found, String>>> {
        let mut line = serde_json::to_vec(question)?;
        line.push(b'\n');
        self.input.write_all(&line).await?;
        self.input.write_all(content).await?;
        self.input.flush().await?;
        let Some(answer) = self.output.next_line().await? else { return Ok(None) };
        Ok(Some(serde_json::from_str(&answer)?))
    }
}
