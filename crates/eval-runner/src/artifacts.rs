//! What an agent made, carried from its devbox into a fresh one.
//!
//! What comes out of an agent's devbox is hostile: its programs, its git and its shell may all be the agent's. So nothing
//! that goes wrong there is anybody else's fault (the trial stays valid), and everything that comes from there is checked
//! before it goes anywhere: a diff by `git apply` in the fresh devbox, which refuses paths outside of the checkout and
//! below `.git`, an archive by [`clean`].

use std::collections::BTreeSet;
use std::io::{self, Read as _};
use std::path::{Component, Path};

use eval_builder::Scenario;
use eval_record::Captured;
use runloop_types::{DevboxId, Mount};
use uuid::Uuid;

use crate::archive::Archive;
use crate::failure::Failure;
use crate::git::{self, QUIET_GIT};
use crate::patience::insist;
use crate::platform::{Platform, PlatformError, PlatformErrorKind};
use crate::session::Session;
use crate::shell::{enter, quote};
use crate::work::PLACE;

/// Diffs up to this many bytes travel as a mount, which saves a request.
const MOUNT_LIMIT: usize = 256 << 10;

/// What the collecting command prints before what it found.
const MARK: &str = "runloop-eval:";

/// What an agent made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Artifacts {
    /// It changed nothing.
    Unchanged,
    /// A git diff against the prepared tree.
    Diff(Vec<u8>),
    /// A checked archive of the whole working directory.
    Tree(Vec<u8>),
    /// A checked archive of the declared paths that exist.
    Paths(Vec<u8>),
}

/// What was collected.
#[derive(Debug)]
pub(crate) struct Collected {
    pub(crate) artifacts: Artifacts,
    /// What the devbox said meanwhile.
    pub(crate) said: Captured,
}

/// Why artifacts did not arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Obstacle {
    /// The agent left something that cannot be judged: it scores 0.
    Unusable(String),
    /// The infrastructure failed.
    Failure(Failure),
}

impl From<Failure> for Obstacle {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// What the agent's devbox says about its own working directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Diff,
    Archive,
    Nothing,
    TooLarge,
}

/// Collects what the agent made from its running devbox, in which nothing of the agent runs any more. `first` are commands
/// that are run before.
pub(crate) async fn collect<P: Platform>(
    session: &Session<P>,
    devbox: &DevboxId,
    scenario: &Scenario,
    tree: Option<&str>,
    first: &str,
) -> Result<Collected, Obstacle> {
    let limits = session.options.limits;
    // Not known beforehand, so nothing of the agent's stands there.
    let place = format!("{PLACE}/collect-{}", Uuid::new_v4().simple());
    let line = if scenario.artifacts.is_empty() {
        whole_directory(scenario, tree, &place)
    } else {
        declared_paths(scenario, &place)
    };
    let line = format!("{first}{}{line}", bounded(limits.artifact_bytes));
    let ended = match session.command(devbox, line, limits.artifacts, 256 << 10).await {
        Ok(ended) => ended,
        Err(error) => return Err(of_agent(session, devbox, "collect what the agent made", error).await),
    };
    let found =
        ended.stdout.exact_text().lines().rev().find_map(|line| match line.strip_prefix(MARK)?.trim() {
            "diff" => Some(Found::Diff),
            "archive" => Some(Found::Archive),
            "nothing" => Some(Found::Nothing),
            "large" => Some(Found::TooLarge),
            _ => None,
        });
    let (Some(found), Some(_)) = (found, ended.exit_status) else {
        let why = if ended.exit_status.is_none() { "it takes too long".to_owned() } else { ended.tail() };
        return Err(Obstacle::Unusable(format!("cannot read the working directory: {why}")));
    };
    let said = ended.stdout;
    let too_large = || {
        let limit = limits.artifact_bytes >> 20;
        Obstacle::Unusable(format!("what the agent made is larger than {limit} MiB"))
    };
    let name = match found {
        Found::Nothing => return Ok(Collected { artifacts: Artifacts::Unchanged, said }),
        Found::TooLarge => return Err(too_large()),
        Found::Diff => "diff",
        Found::Archive => "archive.tgz",
    };
    let path = format!("~/{place}/{name}");
    let content = match insist(|| session.platform.download(devbox, &path, limits.artifact_bytes)).await {
        Ok(content) => content,
        Err(error) if error.kind == PlatformErrorKind::TooLarge => return Err(too_large()),
        Err(error) => return Err(of_agent(session, devbox, "download what the agent made", error).await),
    };
    if found == Found::Diff {
        let artifacts = if content.is_empty() { Artifacts::Unchanged } else { Artifacts::Diff(content) };
        return Ok(Collected { artifacts, said });
    }
    let declared = scenario.artifacts.clone();
    let cleaned =
        tokio::task::spawn_blocking(move || clean(&content, &declared, limits.unpacked_bytes)).await;
    let cleaned = cleaned.map_err(|error| Failure::harness(error.to_string()))?;
    let cleaned = cleaned
        .map_err(|error| Obstacle::Unusable(format!("the archive of what the agent made: {error}")))?;
    let is_whole = scenario.artifacts.is_empty();
    let artifacts = if is_whole { Artifacts::Tree(cleaned) } else { Artifacts::Paths(cleaned) };
    Ok(Collected { artifacts, said })
}

/// A failed request to the agent's devbox. A devbox that lives but refuses was broken by the agent.
pub(crate) async fn of_agent<P: Platform>(
    session: &Session<P>,
    devbox: &DevboxId,
    doing: &str,
    error: PlatformError,
) -> Obstacle {
    if error.may_be_agents()
        && let Ok(view) = session.platform.devbox(devbox).await
        && !view.status.is_final()
    {
        return Obstacle::Unusable(format!("cannot {doing}: {error}"));
    }
    Obstacle::Failure(session.blame(devbox, doing, &error).await)
}

/// Keeps files that the collecting command writes to what may be downloaded: an agent that put the whole disk in its
/// working directory does not get it packed. Defines `too_large`, which tells that this is what happened.
fn bounded(limit: u64) -> String {
    format!(
        "ulimit -f {kib} 2>/dev/null\ntoo_large() {{ [ -n \"$(find \"$place\" -type f -size +{limit}c -print -quit)\" ] && printf '\\n{MARK}large\\n'; }}\n",
        // Room for what git writes besides, and for a message that names the limit if it is passed by little.
        kib = (limit >> 10) + 1024,
    )
}

/// Work that the agent took its own right to read from is work all the same.
const READABLE: &str =
    "find . ! -type l -user \"$(id -u)\" ! -perm -u=r -exec chmod -R u+rX -- {} + 2>/dev/null\n";

/// The diff against what was prepared, or an archive where there is no checkout, the agent destroyed it, or it made one
/// inside of it, which git would leave out.
fn whole_directory(scenario: &Scenario, tree: Option<&str>, place: &str) -> String {
    let enter = enter(&scenario.environment.working_directory);
    let archive = format!(
        "tar -czf \"$place/archive.tgz\" --exclude=./.git --exclude=./{PLACE} . && printf '\\n{MARK}archive\\n' || too_large\n"
    );
    let start = format!("place=\"$HOME\"/{place}\nmkdir -p \"$place\" || exit 1\n{enter}{READABLE}");
    let Some(tree) = tree else { return format!("{start}{archive}") };
    format!(
        "{start}{QUIET_GIT}export GIT_INDEX_FILE=\"$place/index\"\n\
         whole() {{ ! g diff --cached --raw --no-renames {tree} | grep -q '^:000000 160000 '; }}\n\
         if [ -e .git ] && repository \"$place/git\" \"{store}/info/exclude\" {format} && borrow \"{store}\" \
         && g read-tree {tree} && stage && whole && changes {tree} >\"$place/diff\"; then printf '\\n{MARK}diff\\n'\n\
         elif ! too_large; then {archive}fi\n",
        store = git::store(),
        format = git::object_format(tree),
    )
}

fn declared_paths(scenario: &Scenario, place: &str) -> String {
    let paths: Vec<String> = scenario.artifacts.iter().map(|path| quote(path)).collect();
    format!(
        "place=\"$HOME\"/{place}\nmkdir -p \"$place\" || exit 1\n{enter}set --\n\
         for path in {paths}; do if [ -e \"$path\" ] || [ -L \"$path\" ]; then set -- \"$@\" \"./$path\"; fi; done\n\
         chmod -R u+rX -- \"$@\" 2>/dev/null\n\
         tar -czf \"$place/archive.tgz\" --files-from=/dev/null -- \"$@\" && printf '\\n{MARK}archive\\n' || too_large\n",
        enter = enter(&scenario.environment.working_directory),
        paths = paths.join(" "),
    )
}

impl Artifacts {
    /// What a fresh devbox is made with, so that the artifacts need no request of their own.
    pub(crate) fn mount(&self, home: &str) -> Option<Mount> {
        match self {
            Self::Diff(diff) if diff.len() <= MOUNT_LIMIT => {
                let content = str::from_utf8(diff).ok()?.to_owned();
                Some(Mount::FileMount { target: format!("{home}/{PLACE}/artifacts"), content })
            }
            _ => None,
        }
    }

    /// Puts the artifacts in place in a fresh devbox, whose checkout held `tree`. `is_mounted` tells that it was made with
    /// [`Artifacts::mount`].
    pub(crate) async fn apply<P: Platform>(
        &self,
        session: &Session<P>,
        devbox: &DevboxId,
        scenario: &Scenario,
        tree: Option<&str>,
        is_mounted: bool,
    ) -> Result<(), Obstacle> {
        let (content, line) = match self {
            Self::Unchanged => return Ok(()),
            Self::Diff(diff) => {
                (diff, format!("{QUIET_GIT}git=\"{}\"\n{}", git::store(), apply_line("artifacts")))
            }
            Self::Tree(archive) if let Some(tree) = tree => (archive, tree_as_diff(tree)),
            Self::Tree(archive) => (
                archive,
                format!(
                    "find . -mindepth 1 -maxdepth 1 ! -name .git ! -name {PLACE} -exec rm -rf {{}} + && {}",
                    unpack_line()
                ),
            ),
            Self::Paths(archive) => {
                let paths: Vec<String> = scenario.artifacts.iter().map(|path| quote(path)).collect();
                (archive, format!("rm -rf -- {} && {}", paths.join(" "), unpack_line()))
            }
        };
        if !is_mounted
            && let Err(error) =
                session.platform.upload(devbox, &format!("~/{PLACE}/artifacts"), content.clone()).await
        {
            return Err(session.blame(devbox, "upload what the agent made", &error).await.into());
        }
        let line = format!("{}{line}", enter(&scenario.environment.working_directory));
        match session.command(devbox, line, session.options.limits.artifacts, 64 << 10).await {
            Ok(ended) if ended.exit_status == Some(0) => Ok(()),
            Ok(ended) => {
                Err(Obstacle::Unusable(format!("what the agent made does not apply: {}", ended.tail())))
            }
            Err(error) => Err(session.blame(devbox, "put what the agent made in place", &error).await.into()),
        }
    }
}

/// Makes the diff here, in the fresh devbox, that the agent's own checkout did not give: so that an agent gains nothing
/// from destroying it, and what git ignores stays as it was prepared.
fn tree_as_diff(tree: &str) -> String {
    format!(
        "{QUIET_GIT}borrow\nplace=\"$HOME/{PLACE}\" git=\"{store}\"\nmkdir \"$place/tree\" || exit 1\n\
         ( export GIT_INDEX_FILE=\"$place/index\"; cd \"$place/tree\" && tar -xzf ../artifacts --no-same-owner \
         && g read-tree {tree} && stage && changes {tree} >../diff ) || exit 1\n\
         rm -rf \"$place/tree\" \"$place/index\"\n[ ! -s \"$place/diff\" ] || {apply}",
        store = git::store(),
        apply = apply_line("diff"),
    )
}

fn apply_line(name: &str) -> String {
    format!("g apply --whitespace=nowarn \"$HOME/{PLACE}/{name}\"\n")
}

fn unpack_line() -> String {
    format!("tar -xzf \"$HOME/{PLACE}/artifacts\" --no-same-owner\n")
}

/// Repacks an archive from a devbox: only files, directories and links, only below where it is unpacked (and below the
/// declared paths, if there are any), never through a link of its own, nothing of git's, no owners, no set-id bits.
fn clean(archive: &[u8], declared: &[String], limit: u64) -> io::Result<Vec<u8>> {
    let mut room = limit;
    let mut clean = Archive::new();
    let mut links: BTreeSet<String> = BTreeSet::new();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(archive));
    for entry in archive.entries()? {
        let mut entry = entry?;
        let Ok(path) = entry.path() else { continue };
        let Some(path) = harmless(&path, declared) else { continue };
        let below_a_link = path.match_indices('/').any(|(at, _)| links.contains(&path[..at]));
        if below_a_link || !seen.insert(path.clone()) {
            continue;
        }
        match entry.header().entry_type() {
            kind if kind.is_file() => {
                let executable = entry.header().mode().unwrap_or_default() & 0o100 != 0;
                let mut content = Vec::new();
                entry.by_ref().take(room.saturating_add(1)).read_to_end(&mut content)?;
                room = room.checked_sub(content.len() as u64).ok_or_else(|| {
                    io::Error::other(format!("it unpacks to more than {} MiB", limit >> 20))
                })?;
                clean.file(&path, &content, executable)?;
            }
            kind if kind.is_dir() => clean.directory(&path)?,
            kind if kind.is_symlink() => {
                if let Some(target) = entry.link_name()? {
                    clean.link(&path, &target)?;
                    links.insert(path);
                }
            }
            kind if kind.is_hard_link() => {
                let target = entry.link_name()?.and_then(|target| harmless(&target, declared));
                // tar names the first occurrence, which was packed as a file.
                if let Some(target) = target.filter(|target| seen.contains(target) && !links.contains(target))
                {
                    clean.hard_link(&path, Path::new(&target))?;
                }
            }
            _ => {}
        }
    }
    clean.finish()
}

/// A member's path without `./`, if it may be unpacked.
fn harmless(path: &Path, declared: &[String]) -> Option<String> {
    let mut parts = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(part) => parts.push(part.to_str()?),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    if parts.is_empty() || parts[0] == PLACE || parts.iter().any(|part| part.eq_ignore_ascii_case(".git")) {
        return None;
    }
    let path = parts.join("/");
    let is_declared = |declared: &String| {
        let declared = declared.trim_start_matches("./").trim_end_matches('/');
        path == declared || path.strip_prefix(declared).is_some_and(|rest| rest.starts_with('/'))
    };
    (declared.is_empty() || declared.iter().any(is_declared)).then_some(path)
}

#[cfg(test)]
mod tests {
    use tar::{EntryType, Header};

    use super::*;

    /// An archive as only an attacker writes it.
    fn hostile(members: &[(&str, EntryType, &str)]) -> Vec<u8> {
        let mut builder =
            tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
        for (path, kind, content) in members {
            let mut header = Header::new_gnu();
            header.set_entry_type(*kind);
            header.set_mode(0o4755);
            header.as_gnu_mut().unwrap().name[..path.len()].copy_from_slice(path.as_bytes());
            let is_link = kind.is_symlink() || kind.is_hard_link();
            if is_link {
                header.as_gnu_mut().unwrap().linkname[..content.len()].copy_from_slice(content.as_bytes());
            }
            let body = if is_link { "" } else { content };
            header.set_size(body.len() as u64);
            header.set_cksum();
            builder.append(&header, body.as_bytes()).unwrap();
        }
        builder.into_inner().unwrap().finish().unwrap()
    }

    fn cleaned(members: &[(&str, EntryType, &str)], declared: &[&str]) -> Vec<String> {
        let declared: Vec<String> = declared.iter().map(|path| (*path).to_owned()).collect();
        let clean = clean(&hostile(members), &declared, 1 << 20).unwrap();
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(clean.as_slice()));
        let names = archive.entries().unwrap().map(|entry| {
            let entry = entry.unwrap();
            assert_eq!(entry.header().mode().unwrap() & 0o7000, 0, "no set-id bits");
            entry.path().unwrap().display().to_string()
        });
        names.collect()
    }

    #[test]
    fn nothing_is_unpacked_outside_of_the_directory() {
        use EntryType::{Directory, Regular, Symlink};
        let members = [
            ("./", Directory, ""),
            ("./ok", Regular, "x"),
            ("/etc/passwd", Regular, "x"),
            ("../up", Regular, "x"),
            ("a/../../up", Regular, "x"),
            ("link", Symlink, "/etc"),
            ("link/passwd", Regular, "x"),
            ("deep", Directory, ""),
            ("deep/link", Symlink, ".."),
            ("deep/link/x/y", Regular, "x"),
            (".git/config", Regular, "x"),
            ("sub/.GIT/hooks/post-commit", Regular, "x"),
            (".runloop-eval/artifacts", Regular, "x"),
        ];
        assert_eq!(cleaned(&members, &[]), ["ok", "link", "deep/", "deep/link"]);
    }

    #[test]
    fn a_second_member_of_a_name_cannot_turn_it_into_something_else() {
        use EntryType::{Regular, Symlink};
        let members =
            [("a", Symlink, "/etc/passwd"), ("a", Regular, "x"), ("b", Regular, "x"), ("b", Symlink, "/")];
        assert_eq!(cleaned(&members, &[]), ["a", "b"]);
    }

    #[test]
    fn devices_are_dropped_and_hard_links_stay_inside() {
        use EntryType::{Block, Char, Fifo, Link, Regular, Symlink};
        let members = [
            ("pipe", Fifo, ""),
            ("disk", Block, ""),
            ("null", Char, ""),
            ("file", Regular, "x"),
            ("same", Link, "file"),
            ("out", Link, "/etc/passwd"),
            ("none", Link, "absent"),
            ("link", Symlink, "/etc/passwd"),
            ("through", Link, "link"),
        ];
        assert_eq!(cleaned(&members, &[]), ["file", "same", "link"]);
    }

    #[test]
    fn only_declared_paths_are_carried_over() {
        use EntryType::Regular;
        let members =
            [("./src/a", Regular, ""), ("srcs", Regular, ""), ("out.txt", Regular, ""), ("x", Regular, "")];
        assert_eq!(cleaned(&members, &["src/", "out.txt"]), ["src/a", "out.txt"]);
    }

    #[test]
    fn an_archive_that_unpacks_to_too_much_is_refused() {
        let bomb = hostile(&[("zeros", EntryType::Regular, &"0".repeat(100_000))]);
        assert!(bomb.len() < 2000);
        assert!(clean(&bomb, &[], 50_000).unwrap_err().to_string().contains("unpacks to more than"));
        assert!(clean(b"not an archive", &[], 1).is_err());
    }
}
