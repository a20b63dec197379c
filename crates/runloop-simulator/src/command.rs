//! What a command does in a devbox that has no shell.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

use crate::archive::Tar;
use crate::script::Script;
use crate::span::Span;

/// What a command says of itself comes after this.
const MARK: &str = "# sim:";

/// The disk of a devbox: files by path, as they were written.
pub(crate) type Disk = BTreeMap<String, Bytes>;

/// What a command will do.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Deed {
    pub(crate) time: Duration,
    exit: i32,
    out: String,
    append: Option<(String, String)>,
    holds: Option<(String, String)>,
    tar: Option<Tar>,
    /// The devbox breaks when the command ends.
    pub(crate) dies: bool,
}

/// What a command did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Done {
    pub(crate) exit_status: i32,
    pub(crate) stdout: String,
}

impl Done {
    /// As of a command that was killed.
    pub(crate) fn killed() -> Self {
        Self { exit_status: 128 + 9, stdout: String::new() }
    }
}

impl Deed {
    /// What this command line does: what it says itself, else what the script says of such, else what it does with `tar`,
    /// else nothing, successfully.
    pub(crate) fn of(line: &str, script: &Script, random: &mut fastrand::Rng) -> Self {
        let own = line.rsplit_once(MARK).map(|(_, words)| words.lines().next().unwrap_or_default());
        let words = own.or_else(|| {
            script.commands.iter().find(|rule| line.contains(&rule.has)).map(|rule| rule.does.as_str())
        });
        let mut deed = Self::default();
        let mut time = script.times.exec;
        for word in words.unwrap_or_default().split_whitespace() {
            let (name, value) = word.split_once('=').unwrap_or((word, ""));
            let file = || value.split_once(':').map(|(file, text)| (file.to_owned(), text.to_owned()));
            match name {
                "time" => time = value.parse().unwrap_or(Span::NONE),
                "exit" => deed.exit = value.parse().unwrap_or(2),
                "out" => deed.out = format!("{value}\n"),
                "append" => deed.append = file(),
                "holds" => deed.holds = file(),
                "dies" => deed.dies = true,
                // The rest of the line is not ours, such as a closing quote.
                _ => break,
            }
        }
        deed.time = time.draw(random);
        deed.tar = if words.is_none() { Tar::of(line) } else { None };
        deed
    }

    /// Does it.
    pub(crate) fn apply(self, disk: &mut Disk) -> Done {
        if let Some(tar) = self.tar {
            return match tar.apply(disk) {
                Ok(stdout) => Done { exit_status: 0, stdout },
                Err(error) => Done { exit_status: 2, stdout: format!("tar: {error}\n") },
            };
        }
        if let Some((file, text)) = self.append {
            let before = disk.get(&file).map(|content| content.to_vec()).unwrap_or_default();
            disk.insert(file, [before.as_slice(), text.as_bytes()].concat().into());
        }
        let refused = self
            .holds
            .is_some_and(|(file, text)| disk.get(&file).is_none_or(|content| *content != text.as_bytes()));
        Done { exit_status: if refused { 1 } else { self.exit }, stdout: self.out }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::Rule;

    fn done(line: &str, disk: &mut Disk) -> Done {
        Deed::of(line, &Script::default(), &mut fastrand::Rng::with_seed(1)).apply(disk)
    }

    #[test]
    fn work_done_twice_is_not_work_done_once() {
        let mut disk = Disk::new();
        let check = "test \"$(cat answer)\" = done # sim: holds=answer:done";
        assert_eq!(done(check, &mut disk).exit_status, 1);
        done("cd repo\necho done >> answer # sim: append=answer:done\n", &mut disk);
        assert_eq!(done(check, &mut disk).exit_status, 0);
        done("echo done >> answer # sim: append=answer:done", &mut disk);
        assert_eq!(done(check, &mut disk).exit_status, 1);
    }

    #[test]
    fn a_command_speaks_for_itself_before_the_script_does() {
        let rule = Rule { has: "collect".to_owned(), does: "exit=3 out=nothing".to_owned() };
        let script = Script { commands: vec![rule], ..Script::default() };
        let mut random = fastrand::Rng::with_seed(1);
        let mut done = |line: &str| Deed::of(line, &script, &mut random).apply(&mut Disk::new());
        assert_eq!(done("collect it"), Done { exit_status: 3, stdout: "nothing\n".to_owned() });
        assert_eq!(done("collect it # sim: exit=4").exit_status, 4);
        assert_eq!(done("anything else"), Done::default());
    }

    #[test]
    fn a_command_takes_the_time_it_says() {
        let deed = Deed::of("x # sim: time=250ms", &Script::default(), &mut fastrand::Rng::with_seed(1));
        assert_eq!(deed.time, Duration::from_millis(250));
    }
}
