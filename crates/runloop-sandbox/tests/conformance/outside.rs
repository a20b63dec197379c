//! What a box must not see, reach or outlive.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use runloop_sandbox::{BoxFailure, BoxSpec, DriverKind, ExecError, Network, Sandbox};

use crate::context::*;

/// Name and value of a variable, and content of a file, that the harness of every case has.
pub(crate) const SECRET: &str = "RUNLOOP_SANDBOX_TEST_SECRET";

cases! {
    everywhere: no_sight_of_the_harness, no_sight_of_passwords, no_sight_of_the_state_directory, no_sight_of_other_boxes, no_write_outside,
        no_change_of_kernel_settings, no_devices_and_no_mounts, no_network_unless_asked_for,
        a_killed_harness_leaves_nothing, closing_leaves_nothing, a_box_that_dies_is_told, one_harness_at_a_time;
    namespaces: no_sight_of_host_processes, loopback_is_the_box_s_own, the_network_if_asked_for,
        no_sight_of_homes_and_temporary_files;
    shifted: the_box_s_root_is_nobody_outside, nothing_lies_below_the_root;
}

async fn no_sight_of_the_harness(context: Arc<Context>) {
    assert_eq!(std::env::var(SECRET).as_deref(), Ok(SECRET));
    let linux_box = context.new_box().await;
    assert!(!sh(&linux_box, "env").await.contains(SECRET));
    let own = std::process::id();
    for text in [
        "cat /proc/*/environ",
        "cat /proc/1/environ",
        "cat /proc/$PPID/environ",
        "cat /proc/*/fd/*",
        "cat /proc/$PPID/fd/0",
        "cat /proc/$PPID/mem | head -c 1",
        &format!("cat /proc/{own}/environ"),
        &format!("ls -l /proc/{own}/fd /proc/{own}/cwd/"),
    ] {
        let said = run(&linux_box, script(&format!("timeout 5 bash -c '{text}' < /dev/null"))).await;
        assert!(!said.stdout.contains(SECRET), "{text}");
    }
    // The broker's memory, descriptors and files are closed to its box, whoever looks.
    for text in [
        "ls -l /proc/$PPID/fd/",
        "cat /proc/$PPID/maps",
        "ls -l /proc/$PPID/root/",
        "readlink /proc/$PPID/exe",
    ] {
        let said = run(&linux_box, script(&format!("{text} | grep ."))).await;
        assert_eq!(said.stdout, "", "{text}");
        if context.kind == DriverKind::NamespacesRoot {
            let said = run(&linux_box, as_root(script(&format!("{text} | grep .")))).await;
            assert_eq!(said.stdout, "", "{text} as the box's root");
        }
    }
}

async fn no_sight_of_passwords(context: Arc<Context>) {
    let linux_box = context.new_box().await;
    let shadow = run(&linux_box, script("cat /etc/shadow; cat /etc/gshadow")).await.stdout;
    match context.is_process() {
        // There the file is the host's.
        true => assert_eq!(shadow, ""),
        false => assert!(shadow.lines().all(|line| line.split(':').nth(1) == Some("*")), "{shadow}"),
    }
}

async fn no_sight_of_host_processes(context: Arc<Context>) {
    let linux_box = context.new_box().await;
    // The broker, the shell, and what the shell runs.
    let seen = sh(&linux_box, "cd /proc; ls -d [0-9]*").await;
    assert!(seen.starts_with("1\n") && seen.lines().count() <= 4, "{seen}");
    assert!(!succeeds(&linux_box, &format!("kill -0 {}", std::process::id())).await);
}

async fn no_sight_of_the_state_directory(context: Arc<Context>) {
    let linux_box = context.new_box().await;
    let id = linux_box.snapshot().await.unwrap();
    let linux_box = context.new_box().await;
    let state = context.state_dir.display();
    for look in [format!("ls {state}/layers"), format!("ls {state}/layers/{id}"), format!("cat {state}/lock")]
    {
        assert!(!succeeds(&linux_box, &look).await, "{look}");
    }
}

async fn no_sight_of_homes_and_temporary_files(context: Arc<Context>) {
    let linux_box = context.new_box().await;
    assert_eq!(
        sh(
            &linux_box,
            "ls -A /home /tmp /var/tmp /mnt /media /srv | grep -v -e : -e '^$' -e runloop-sandbox-"
        )
        .await,
        "user\n"
    );
    let top = sh(&linux_box, "ls -A /").await;
    let allowed = "bin dev etc gnu home lib lib32 lib64 libx32 media mnt nix opt proc root run sbin srv sys tmp usr var";
    for name in top.lines() {
        assert!(allowed.split(' ').any(|known| known == name), "/{name} is visible");
    }
    let shadow = run(&linux_box, as_root(script("cat /etc/shadow"))).await.stdout;
    assert!(shadow.lines().all(|line| line.split(':').nth(1) == Some("*")), "{shadow}");
}

async fn no_sight_of_other_boxes(context: Arc<Context>) {
    let (one, two) = (context.new_box().await, context.new_box().await);
    let marker = marker("neighbour");
    let (_process, pid) =
        background(&one, &format!("echo {marker} > secret; echo $$; exec -a {marker} sleep 1000")).await;
    assert!(
        !succeeds(
            &two,
            &format!("cat {}/../../*/*/secret {}/secret", context.state_dir.display(), one.home().display())
        )
        .await
            || !context.is_process()
    );
    assert!(
        !sh(&two, &format!("cat {}/secret 2> /dev/null || true", one.home().display()))
            .await
            .contains(&marker)
    );
    if !context.is_process() {
        assert!(!sh(&two, "ps -eo args").await.contains(&marker));
    }
    let _ = run(&two, script(&format!("kill -9 {pid}; kill -9 $PPID; kill -9 -$PPID; kill -9 -1"))).await;
    eventually("the neighbour", || processes_with(&marker).len() == 1).await;
    // Not even its own broker could it hurt.
    assert_eq!(sh(&two, "echo alive").await, "alive\n");
}

async fn no_write_outside(context: Arc<Context>) {
    let linux_box = context.new_box().await;
    let name = marker("write");
    let mut places =
        vec!["/tmp", "/var/tmp", "/usr", "/etc", "/usr/local/bin", "/home", "/", "/dev/shm", "/run"];
    let state = context.state_dir.to_str().unwrap();
    places.push(state);
    for place in places {
        let text = format!("echo x > {place}/{name}");
        let _ = run(&linux_box, script(&text)).await;
        if context.kind == DriverKind::NamespacesRoot {
            let _ = run(&linux_box, as_root(script(&text))).await;
        }
        assert!(!Path::new(place).join(&name).exists(), "{place}");
    }
}

async fn no_change_of_kernel_settings(context: Arc<Context>) {
    let core_pattern = || std::fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap();
    let before = core_pattern();
    let linux_box = context.new_box().await;
    for text in [
        "echo '|/tmp/x' > /proc/sys/kernel/core_pattern",
        "echo 1 > /proc/sys/vm/drop_caches",
        "echo x > /proc/sys/kernel/domainname",
        "echo h > /proc/sysrq-trigger",
        "head -c 1 /proc/kcore | grep -q .",
        "echo 1 > /sys/kernel/profiling",
        "touch /sys/new",
    ] {
        assert!(!succeeds(&linux_box, text).await, "{text}");
        if context.kind == DriverKind::NamespacesRoot {
            let said = run(&linux_box, as_root(script(text))).await;
            assert_ne!(said.status.code(), 0, "{text} as the box's root");
        }
    }
    assert_eq!(core_pattern(), before);
}

async fn no_devices_and_no_mounts(context: Arc<Context>) {
    let linux_box = context.new_box().await;
    for text in [
        "mknod device b 8 0",
        "mknod device c 1 1",
        "mount -t tmpfs none /mnt",
        "mount --bind /usr /mnt",
        "mount -o remount,rw /sys",
        "umount /proc",
        "swapon /dev/zero",
        "cat /dev/mem /dev/kmsg /dev/sda /dev/vda",
        "hostname changed",
        "modprobe loop || insmod /dev/null || false",
        "chroot / true",
    ] {
        assert!(!succeeds(&linux_box, text).await, "{text}");
        if context.kind == DriverKind::NamespacesRoot && !text.starts_with("chroot") {
            let said = run(&linux_box, as_root(script(text))).await;
            assert_ne!(said.status.code(), 0, "{text} as the box's root");
        }
    }
}

/// By the oldest way out of a root, and by a mount namespace of one's own.
async fn nothing_lies_below_the_root(context: Arc<Context>) {
    const LOOK: &str = r"
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
if sys.argv[1] == 'chroot':
    os.mkdir('/tmp/jail')
    os.chroot('/tmp/jail')
    for _ in range(64):
        os.chdir('..')
    os.chroot('.')
else:
    new_user, new_mounts, detach = 0x10000000, 0x20000, 2
    if libc.unshare(new_user | new_mounts) != 0:
        sys.exit('no namespaces')
    while libc.umount2(b'/', detach) == 0:
        pass
    os.chdir('/..')
print(*sorted(os.listdir('.')))
";
    let linux_box = context.new_box().await;
    let own = sh(&linux_box, "cd / && python3 -c 'import os; print(*sorted(os.listdir(\".\")))'").await;
    assert!(own.contains("usr"), "{own}");
    for way in ["chroot", "unshare"] {
        let said = run(&linux_box, as_root(words(&["python3", "-c", LOOK, way]))).await;
        if said.status.code() == 0 {
            assert_eq!(said.stdout, own, "{way}");
        } else {
            println!("{way} is refused: {}", said.stderr.trim());
        }
    }
}

async fn the_box_s_root_is_nobody_outside(context: Arc<Context>) {
    use std::os::unix::fs::MetadataExt;
    let linux_box = context.new_box().await;
    let (_process, _) = {
        let mut process = linux_box
            .exec(as_root(script("echo x > /made; chmod 4755 /made; echo; exec sleep 1000")))
            .await
            .unwrap();
        let line = first_line(&mut process).await;
        (process, line)
    };
    let boxes = context.boxes_on_disk();
    let made = context.state_dir.join("boxes").join(&boxes[0]).join("up/root/made");
    assert!(
        std::fs::metadata(made).unwrap().uid() > 100_000,
        "a file of the box belongs to root of the host"
    );
}

async fn no_network_unless_asked_for(context: Arc<Context>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let linux_box = context.new_box().await;
    assert!(!succeeds(&linux_box, &format!("exec 3<> /dev/tcp/127.0.0.1/{port}")).await);
    assert!(!succeeds(&linux_box, "exec 3<> /dev/udp/8.8.8.8/53 && echo x >&3").await);
    if !context.is_process() {
        assert_eq!(sh(&linux_box, "tail -n +3 /proc/net/dev | cut -d: -f1").await.trim(), "lo");
        assert!(!succeeds(&linux_box, "cat /etc/resolv.conf").await);
    }
}

async fn loopback_is_the_box_s_own(context: Arc<Context>) {
    let linux_box = context.new_box().await;
    assert_eq!(sh(&linux_box, "cat /sys/class/net/lo/flags").await, "0x9\n");
    // Refused by nobody listening, at once: not "network is unreachable".
    let said = run(&linux_box, script("exec 3<> /dev/tcp/127.0.0.1/9")).await;
    assert!(said.stderr.contains("refused"), "{}", said.stderr);
}

async fn the_network_if_asked_for(context: Arc<Context>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let spec = BoxSpec { network: Network::All, ..context.spec() };
    let linux_box = context.sandbox.create(spec).await.unwrap();
    assert!(succeeds(&linux_box, &format!("exec 3<> /dev/tcp/127.0.0.1/{port}")).await);
    let resolver = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    assert_eq!(sh(&linux_box, "cat /etc/resolv.conf || true").await, resolver);
    assert!(!succeeds(&linux_box, "touch /sys/fs/cgroup/new || mkdir /sys/fs/cgroup/new").await);
}

/// What a case starts to have a harness that it can kill: a box with a process that hides as well as it can.
pub(crate) fn be_a_harness(kind: DriverKind, directory: &Path, marker: &str) -> ! {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let context = Context::open(kind, directory).await;
        let linux_box = context.new_box().await;
        let id = linux_box.snapshot().await.unwrap();
        let hide = format!(
            "(setsid bash -c 'trap \"\" TERM HUP INT; (exec -a {marker} sleep 1000); :' > /dev/null 2>&1 &)
            while ! ps -eo args | grep -q '^{marker}'; do :; done; echo hidden"
        );
        let (_process, line) = background(&linux_box, &hide).await;
        println!("{line} {id}");
        std::future::pending::<()>().await;
    });
    unreachable!("the harness waits to be killed")
}

async fn a_killed_harness_leaves_nothing(context: Arc<Context>) {
    let marker = marker("orphan");
    let directory = context.state_dir.with_file_name("killed");
    let mut harness = Command::new(std::env::current_exe().unwrap())
        .args(["be-a-harness", driver_name(context.kind)])
        .arg(&directory)
        .arg(&marker)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(harness.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let id = line.trim().strip_prefix("hidden ").unwrap_or_else(|| panic!("{line:?}"));
    assert!(!processes_with(&marker).is_empty());
    harness.kill().unwrap();
    harness.wait().unwrap();
    eventually("the end of every process", || processes_with(&marker).is_empty()).await;
    let boxes = directory.join("boxes");
    eventually("the removal of the boxes", || {
        std::fs::read_dir(&boxes).is_ok_and(|entries| entries.count() == 0)
    })
    .await;
    eventually("the end of the helper", || zygotes_of(&directory).is_empty()).await;
    // The state directory is free again, and the snapshot is still there.
    let sandbox = Sandbox::open(crate::options(&directory, context.kind)).await.unwrap();
    assert!(sandbox.has_snapshot(&runloop_sandbox::SnapshotId::parse(id).unwrap()));
    sandbox.close().await;
}

async fn closing_leaves_nothing(context: Arc<Context>) {
    let marker = marker("close");
    let directory = context.state_dir.with_file_name("closed");
    let sandbox = Sandbox::open(crate::options(&directory, context.kind)).await.unwrap();
    let linux_box = sandbox.create(context.spec()).await.unwrap();
    let (process, _) = background(&linux_box, &format!("echo; exec -a {marker} sleep 1000")).await;
    sandbox.close().await;
    assert_eq!(processes_with(&marker), Vec::<u32>::new());
    assert_eq!(zygotes_of(&directory), Vec::<u32>::new());
    assert_eq!(std::fs::read_dir(directory.join("boxes")).unwrap().count(), 0);
    linux_box.gone().await;
    let _ = process.wait().await;
    assert!(matches!(linux_box.exec(words(&["true"])).await, Err(ExecError::Gone)));
    let error = sandbox.create(context.spec()).await.unwrap_err();
    assert!(matches!(error, runloop_sandbox::CreateError::Closed), "{error}");
}

async fn a_box_that_dies_is_told(context: Arc<Context>) {
    let marker = marker("lost");
    let linux_box = context.new_box().await;
    let (process, _) = background(&linux_box, &format!("echo; exec -a {marker} sleep 1000")).await;
    signal_the_broker(&context, "KILL");
    linux_box.gone().await;
    assert_eq!(linux_box.failure(), Some(BoxFailure::Lost));
    assert!(matches!(process.wait().await, Err(ExecError::Gone)));
    assert!(matches!(linux_box.exec(words(&["true"])).await, Err(ExecError::Gone)));
    eventually("the end of its processes", || processes_with(&marker).is_empty()).await;
}

async fn one_harness_at_a_time(context: Arc<Context>) {
    let error = Sandbox::open(crate::options(&context.state_dir, context.kind)).await.unwrap_err();
    assert!(matches!(error, runloop_sandbox::OpenError::InUse { .. }), "{error}");
}

/// Helper processes whose working directory is this state directory.
fn zygotes_of(directory: &Path) -> Vec<u32> {
    named("runloop-zygote")
        .into_iter()
        .filter(|pid| std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == directory))
        .collect()
}

/// Signals the first process of the one box there is.
pub(crate) fn signal_the_broker(context: &Context, signal: &str) {
    let brokers = brokers_of(context);
    assert_eq!(brokers.len(), 1);
    let signalled = Command::new("kill").args(["-s", signal, &brokers[0].to_string()]).status().unwrap();
    assert!(signalled.success());
}

/// First processes of the boxes of this sandbox.
pub(crate) fn brokers_of(context: &Context) -> Vec<u32> {
    let parents = zygotes_of(&context.state_dir.canonicalize().unwrap());
    let parent_of = |pid: u32| -> Option<u32> {
        let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        text.rsplit(')').next()?.split_ascii_whitespace().nth(1)?.parse().ok()
    };
    named("runloop-box")
        .into_iter()
        .filter(|pid| parent_of(*pid).is_some_and(|pid| parents.contains(&pid)))
        .collect()
}

fn named(name: &str) -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| {
        std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm.trim() == name)
            && !is_zombie(*pid)
    })
    .collect()
}
