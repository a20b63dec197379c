//! Scores what an agent left: the six scorer kinds over a workspace.
//!
//! [`score`] runs the functions of a scoring contract one after the other and says for each whether it gave a score, gave
//! none, or ran out of time. A function without a score leaves the whole without one: nothing is ever scored 0 because a
//! scorer broke.
//!
//! # What a score can be trusted with
//!
//! A verdict is the exit status or the output of a process that was started here, after the agent was killed. What the
//! agent left is still there, so each kind is protected as far as its nature allows:
//!
//! | kind | protected | not protected |
//! | --- | --- | --- |
//! | all | start-up files of bash (`BASH_ENV`, profiles) are not read; standard input is empty; scripts are never at a path known beforehand | programs on `PATH`, the interpreter and the C library: score in a pristine devbox for those |
//! | command | | whatever the command reads |
//! | bash | only the last line of standard output counts | code of the agent that the script runs may print that line: send its output elsewhere (`>&2`) |
//! | python | `-I`: no `PYTHON*` variables, no user site, neither the working directory nor the script's on `sys.path`; a script that fails gives no score | what the script itself imports from the agent |
//! | test | test files replace whatever the agent put in their place, links included; a report that is there beforehand is removed | code under test runs in the process that writes the report |
//! | ast_grep | runs outside of the devbox, on the files' content, in a helper process that may die of it: see [`init`] | |
//! | custom | as its script's language | as its script's language |

mod ast_grep;
mod bash;
mod bound;
mod command;
mod contract;
mod custom;
mod deep_stack;
mod finding;
mod helper;
mod junit;
mod language;
#[cfg(feature = "local")]
mod local;
mod number;
mod pattern;
mod python;
mod python_version;
mod score;
mod script;
mod search;
mod syntax;
mod tally;
mod tap;
mod test;
mod workspace;

pub use contract::{FunctionOutcome, FunctionScore, FunctionSpec};
pub use helper::init;
#[cfg(feature = "local")]
pub use local::LocalWorkspace;
pub use runloop_types::{CustomScript, Expect, PassRate, ScriptLanguage};
pub use score::{Scored, score};
pub use workspace::{Command, Output, Workspace, WorkspaceFile};
