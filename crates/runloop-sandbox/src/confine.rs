//! Confining a process without namespaces: landlock for files, signals and ports, seccomp for sockets. Also the filter
//! that lets installers believe they changed owners in a box that has only one user.

use std::io;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr, Scope,
};

use crate::protocol::Failure;
use crate::sys::seccomp::{self, Instruction};
use crate::sys::{ids, limits, process};

/// The newest set of rights that is asked for; older kernels hold as many of them as they know.
const NEWEST: ABI = ABI::V6;

/// Device files that programs write to.
const WRITABLE_DEVICES: [&str; 6] =
    ["/dev/null", "/dev/zero", "/dev/full", "/dev/tty", "/dev/random", "/dev/urandom"];

/// Makes the private directory of a box and confines this process, and all it will start, to it.
pub(crate) fn enter_directory(
    directory: &Path,
    uid: Option<u32>,
    readable: &[PathBuf],
    offline: bool,
    landlock: bool,
) -> Result<(), Failure> {
    let failed = |step: &str| {
        let step = step.to_owned();
        move |error: io::Error| Failure::new(step, &error)
    };
    for name in ["home", "tmp"] {
        let path = directory.join(name);
        std::fs::create_dir_all(&path).map_err(failed("creating the private directory"))?;
        std::os::unix::fs::chown(&path, uid, uid)
            .map_err(failed("giving the private directory to the box"))?;
    }
    if let Some(uid) = uid {
        // Above the private directory nothing is listable, but it can be passed.
        std::os::unix::fs::chown(directory, None, Some(uid))
            .and_then(|()| {
                std::fs::set_permissions(directory, std::os::unix::fs::PermissionsExt::from_mode(0o710))
            })
            .map_err(failed("closing the private directory to others"))?;
    } else {
        std::fs::set_permissions(directory, std::os::unix::fs::PermissionsExt::from_mode(0o700))
            .map_err(failed("closing the private directory to others"))?;
    }
    std::env::set_current_dir(directory).map_err(failed("entering the private directory"))?;
    limits::forbid_new_privileges().map_err(failed("forbidding new privileges"))?;
    if ids::effective_uid() == 0 {
        ids::forget_capabilities();
        match ids::clear_groups() {
            // In a user namespace that may not, they stay those of whoever runs the harness, as everything else is.
            Err(_) if uid.is_none() => {}
            cleared => cleared.map_err(failed("dropping groups"))?,
        }
    }
    if landlock {
        restrict(directory, readable, offline)
            .map_err(|error| Failure::new("confining with landlock", &io::Error::other(error)))?;
    }
    if uid.is_none() {
        let zygote = process::parent();
        protect(&[process::own(), zygote, process::parent_of(zygote).unwrap_or(zygote)])
            .map_err(failed("installing a seccomp filter"))?;
    }
    if offline {
        refuse_sockets().map_err(failed("installing a seccomp filter"))?;
    }
    Ok(())
}

fn restrict(directory: &Path, readable: &[PathBuf], offline: bool) -> Result<(), landlock::RulesetError> {
    let all = AccessFs::from_all(NEWEST);
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(all)?
        .scope(Scope::from_all(NEWEST))?;
    if offline {
        rules = rules.handle_access(AccessNet::from_all(NEWEST))?;
    }
    let mut rules = rules.create()?;
    let mut allowed = vec![(directory, all)];
    allowed.extend(readable.iter().map(|path| (path.as_path(), AccessFs::from_read(NEWEST))));
    allowed.extend(
        WRITABLE_DEVICES.map(|path| (Path::new(path), AccessFs::from_read(NEWEST) | AccessFs::WriteFile)),
    );
    let terminal = AccessFs::from_read(NEWEST) | AccessFs::WriteFile | AccessFs::IoctlDev;
    allowed.push((Path::new("/dev/pts"), terminal));
    for (path, rights) in allowed {
        // A directory that this machine does not have needs no rule.
        let Ok(opened) = PathFd::new(path) else { continue };
        let rights = if path.is_dir() { rights } else { rights & AccessFs::from_file(NEWEST) };
        rules = rules.add_rule(PathBeneath::new(opened, rights))?;
    }
    rules.restrict_self().map(drop)
}

/// The version of landlock that this kernel has, 0 for none.
pub(crate) fn landlock_version() -> u32 {
    seccomp::landlock_version().unwrap_or(0)
}

const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
const IF_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const IF_AT_LEAST: u16 = (libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

/// Offsets in `struct seccomp_data`.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
#[cfg(target_endian = "little")]
const ARGUMENTS: u32 = 16;

#[cfg(target_arch = "x86_64")]
const NATIVE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const NATIVE: u32 = 0xc000_00b7;
#[cfg(target_arch = "riscv64")]
const NATIVE: u32 = 0xc000_00f3;

/// System calls of the second x86-64 ABI have this bit: the same calls by other numbers.
const OTHER_ABI: u32 = 0x4000_0000;

fn step(code: u16, k: u32, jt: u8, jf: u8) -> Instruction {
    Instruction { code, jt, jf, k }
}

fn answer(errno: i32) -> u32 {
    libc::SECCOMP_RET_ERRNO | errno as u32
}

/// Which calls a filter answers, and how.
struct Rule<'a> {
    calls: &'a [libc::c_long],
    /// Only with one of these values (their low halves) in the argument of this number.
    only: Option<(u32, &'a [i32])>,
    verdict: u32,
}

/// A filter that gives the calls of each rule their answer and allows the rest. Calls by another architecture's numbers
/// do not exist: they would go past the filter.
fn filter(rules: &[Rule<'_>]) -> Vec<Instruction> {
    let mut program = vec![
        step(LOAD, ARCHITECTURE, 0, 0),
        step(IF_EQUAL, NATIVE, 1, 0),
        step(RETURN, answer(libc::ENOSYS), 0, 0),
        step(LOAD, NUMBER, 0, 0),
        step(IF_AT_LEAST, OTHER_ABI, 0, 1),
        step(RETURN, answer(libc::ENOSYS), 0, 0),
    ];
    for rule in rules {
        for call in rule.calls {
            let verdict = step(RETURN, rule.verdict, 0, 0);
            match rule.only {
                None => program.extend([step(IF_EQUAL, *call as u32, 0, 1), verdict]),
                Some((argument, values)) => {
                    // Two instructions for each value, one before and one after them.
                    let length = values.len() as u8 * 2 + 2;
                    program.push(step(IF_EQUAL, *call as u32, 0, length));
                    program.push(step(LOAD, ARGUMENTS + argument * 8, 0, 0));
                    for value in values {
                        program.extend([step(IF_EQUAL, *value as u32, 0, 1), verdict]);
                    }
                    program.push(step(RETURN, libc::SECCOMP_RET_ALLOW, 0, 0));
                }
            }
        }
    }
    program.push(step(RETURN, libc::SECCOMP_RET_ALLOW, 0, 0));
    program
}

/// Keeps a box that shares the user of its broker, its zygote and its harness from signalling them, or everything that
/// the user runs.
pub(crate) fn protect(processes: &[i32]) -> io::Result<()> {
    let mut targets = vec![-1];
    targets.extend(processes.iter().flat_map(|pid| [*pid, -pid]));
    let refused = answer(libc::EPERM);
    let by_process = [libc::SYS_kill, libc::SYS_tgkill, libc::SYS_tkill, libc::SYS_rt_sigqueueinfo];
    let others = [libc::SYS_rt_tgsigqueueinfo, libc::SYS_prlimit64];
    let calls = [&by_process[..], &others].concat();
    seccomp::install(&mut filter(&[
        Rule { calls: &calls, only: Some((0, &targets)), verdict: refused },
        Rule { calls: &[libc::SYS_pidfd_send_signal], only: None, verdict: refused },
    ]))
}

/// No new socket of any kind, by any way; pairs of connected ones remain, which lead nowhere else. Local sockets are
/// refused too: a daemon of the host that listens on one may have the network.
fn refuse_sockets() -> io::Result<()> {
    seccomp::install(&mut filter(&[
        Rule { calls: &[libc::SYS_socket], only: None, verdict: answer(libc::EACCES) },
        Rule { calls: &[libc::SYS_io_uring_setup], only: None, verdict: answer(libc::ENOSYS) },
    ]))
}

/// Changes of owner and identity succeed and do nothing: what an installer needs where there is one user only.
pub(crate) fn fake_owner_changes() -> io::Result<()> {
    let mut calls = vec![
        libc::SYS_fchown,
        libc::SYS_fchownat,
        libc::SYS_setuid,
        libc::SYS_setgid,
        libc::SYS_setreuid,
        libc::SYS_setregid,
        libc::SYS_setresuid,
        libc::SYS_setresgid,
        libc::SYS_setgroups,
        libc::SYS_setfsuid,
        libc::SYS_setfsgid,
        libc::SYS_capset,
    ];
    #[cfg(target_arch = "x86_64")]
    calls.extend([libc::SYS_chown, libc::SYS_lchown]);
    calls.sort_unstable();
    seccomp::install(&mut filter(&[Rule { calls: &calls, only: None, verdict: answer(0) }]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the filter answers to a call with this first argument.
    fn run(program: &[Instruction], architecture: u32, number: u32, argument: u32) -> u32 {
        let (mut at, mut accumulator) = (0usize, 0u32);
        loop {
            let instruction = program[at];
            at += 1;
            match instruction.code {
                LOAD => {
                    accumulator = match instruction.k {
                        NUMBER => number,
                        ARCHITECTURE => architecture,
                        ARGUMENTS => argument,
                        other => panic!("unknown offset {other}"),
                    }
                }
                RETURN => return instruction.k,
                IF_EQUAL | IF_AT_LEAST => {
                    let met = match instruction.code {
                        IF_EQUAL => accumulator == instruction.k,
                        _ => accumulator >= instruction.k,
                    };
                    at += usize::from(if met { instruction.jt } else { instruction.jf });
                }
                other => panic!("unknown instruction {other}"),
            }
        }
    }

    #[test]
    fn only_the_named_calls_are_answered() {
        let refused = answer(libc::EACCES);
        let program = filter(&[Rule { calls: &[41, 425], only: None, verdict: refused }]);
        assert_eq!(run(&program, NATIVE, 41, 0), refused);
        assert_eq!(run(&program, NATIVE, 425, 0), refused);
        assert_eq!(run(&program, NATIVE, 1, 0), libc::SECCOMP_RET_ALLOW);
    }

    #[test]
    fn calls_by_other_numbers_do_not_exist() {
        let program = filter(&[Rule { calls: &[41], only: None, verdict: answer(libc::EACCES) }]);
        assert_eq!(run(&program, 0x4000_0003, 41, 0), answer(libc::ENOSYS));
        assert_eq!(run(&program, NATIVE, 41 | OTHER_ABI, 0), answer(libc::ENOSYS));
    }

    #[test]
    fn a_rule_about_an_argument_leaves_other_values_and_calls_alone() {
        let refused = answer(libc::EPERM);
        let program = filter(&[
            Rule { calls: &[62, 200], only: Some((0, &[-1, 77])), verdict: refused },
            Rule { calls: &[300], only: None, verdict: refused },
        ]);
        for call in [62, 200] {
            assert_eq!(run(&program, NATIVE, call, 77), refused);
            assert_eq!(run(&program, NATIVE, call, u32::MAX), refused);
            assert_eq!(run(&program, NATIVE, call, 78), libc::SECCOMP_RET_ALLOW);
        }
        assert_eq!(run(&program, NATIVE, 1, 77), libc::SECCOMP_RET_ALLOW);
        assert_eq!(run(&program, NATIVE, 300, 0), refused);
    }
}
