//! Commands, streams, files, processes.

use std::io::{Read, Seek, Write};
use std::path::Path;
use std::sync::Arc;

use runloop_sandbox::{ArchiveFormat, ExecSpec, ExitStatus, FileError, OpenMode};
use tokio::io::AsyncWriteExt;

use crate::context::*;

cases! {
    everywhere: the_driver_works, exit_statuses_are_those_of_a_shell, programs_that_cannot_run_say_so,
        output_streams_while_the_command_runs, a_megabyte_of_arguments_arrives, the_environment_is_only_what_was_given,
        background_processes_live_between_commands, a_signal_reaches_the_group, waiting_again_gives_the_same_answer,
        the_working_directory_is_relative_to_home, files_are_written_and_read, names_may_hold_a_line_end,
        what_is_not_a_file_is_not_opened, directories_are_made, archives_are_unpacked, hostile_archives_are_refused,
        a_link_leads_no_archive_astray, freezing_stops_and_thawing_continues, killing_spares_nothing_but_the_disk,
        nothing_is_open_but_the_three_streams, many_boxes_at_once, a_destroyed_box_is_gone, the_last_handle_ends_the_box;
    namespaces: links_resolve_inside_the_box, writes_through_links_stay_inside, the_host_name_is_the_box_s,
        exposed_directories_are_readable_only, memory_file_systems_are_emptied, a_directory_can_be_the_base,
        ports_are_free_after_a_kill;
    shifted: commands_run_as_any_user;
}

async fn the_driver_works(context: Arc<Context>) {
    let linux_box = context.new_box().await;
    assert_eq!(sh(&linux_box, "echo works").await, "works\n");
    assert_eq!(linux_box.guarantees().driver, context.kind);
}

async fn exit_statuses_are_those_of_a_shell(context: Arc<Context>) {
    let linux_box = context.new_box().await;
    assert_eq!(run(&linux_box, script("exit 7")).await.status, ExitStatus::Exited(7));
    assert_eq!(run(&linux_box, script("kill -KILL $$")).await.status, ExitStatus::Signaled(9));
    assert_eq!(run(&linux_box, script("kill -TERM $$")).await.status.code(), 143);
}

async fn programs_that_cannot_run_say_so(context: Arc<Context>) {
    let linux_box = context.new_box().await;
    let missing = run(&linux_box, words(&["no-such-program"])).await;
    assert_eq!(missing.status, ExitStatus::Exited(127));
    assert!(missing.stderr.contains("no-such-program"), "{}", missing.stderr);
    write(&linux_box, "plain", "not a program").await;
    let plain = run(&linux_box, words(&["./plain"])).await;
    assert_eq!(plain.status, ExitStatus::Exited(126));
    assert_eq!(run(&linux_box, words(&["/"])).await.status, ExitStatus::Exited(126));
    let nowhere = ExecSpec { cwd: Some("no/where".into()), ..words(&["true"]) };
    let nowhere = run(&linux_box, nowhere).await;
    assert!(nowhere.stderr.contains("no/where"), "{}", nowhere.stderr);
    sh(&linux_box, "printf 'echo from a script' > script; chmod +x script").await;
    assert_eq!(run(&linux_box, words(&["./script"])).await.stdout, "from a script\n");
}

async fn output_streams_while_the_command_runs(context: Arc<Context>) {
    let linux_box = context.new_box().await;
    let mut process = linux_box
        .exec(with_input(script("echo one; read word; echo two $word; echo three >&2")))
        .await
        .unwrap();
    assert_eq!(first_line(&mut process).await, "one");
    let mut stdin = process.stdin.take().unwrap();
    stdin.write_all(b"words\n").await.unwrap();
    drop(stdin);
    let said = finish(process).await;
    assert_eq!((said.stdout.as_str(), said.stderr.as_str()), ("two words\n", "three\n"));
    let null = run(&linux_box, words(&["cat"])).await;
    assert_eq!((null.status, null.stdout.as_str()), (ExitStatus::Exited(0), ""));
}

async fn a_megabyte_of_arguments_arrives(context: Arc<Context>) {
    let linux_box = context.new_box().await;
    let mut argv = vec!["-c".to_owned(), "echo $# ${#1} ${#12}".to_owned(), "sh".to_owned()];
    argv.extend((0..12).map(|number| format!("{number}").repeat(90_000 / if number > 9 { 2 } else { 1 })));
    let mut spec = words(&["bash"]);
    spec.argv.extend(argv.into_iter().map(Into::into));
    assert_eq!(run(&linux_box, spec).await.stdout, "12 90000 90000\n");
}

async fn the_environment_is_only_what_was_given(context: Arc<Context>) {
    let mut spec = context.spec();
    spec.env = vec![("FROM_BOX".into(), "box".into()), ("BOTH".into(), "box".into())];
    let linux_box = context.sandbox.create(spec).await.unwrap();
    let mut command = words(&["env"]);
    command.env = vec![("BOTH".into(), "command".into())];
    let said = run(&linux_box, command).await.stdout;
    let mut names: Vec<&str> = said.lines().filter_map(|line| line.split('=').next()).collect();
    names.sort_unstable();
    let mut expected =
        vec!["BOTH", "FROM_BOX", "HOME", "LC_CTYPE", "LOGNAME", "PATH", "SHELL", "TERM", "USER"];
    if context.is_process() {
        expected.push("TMPDIR");
        expected.sort_unstable();
    }
    assert_eq!(names, expected);
    assert!(said.contains("BOTH=command\n") && said.contains("FROM_BOX=box\n"), "{said}");
    assert!(said.contains(&format!("HOME={}\n", linux_box.home().display())), "{said}");
}

async fn background_processes_live_between_commands(context: Arc<Context>) {
    let linux_box = context.new_box().await;
    let pid = sh(&linux_box, "sleep 1000 > /dev/null 2>&1 & echo $!").await;
    let pid = pid.trim();
    sh(&linux_box, &format!("kill -0 {pid}")).await;
    sh(&linux_box, &format!("kill {pid}; while kill -0 {pid} 2> /dev/null; do :; done")).await;
}

async fn a_signal_reaches_the_group(context: Arc<Context>) {
    let linux_box = context.new_box().await;
    let (process, child) = background(&linux_box, "sleep 1000 & echo $!; wait").await;
    process.signal(15, true).await.unwrap();
    assert_eq!(process.wait().await.unwrap(), ExitStatus::Signaled(15));
    sh(&linux_box, &format!("while kill -0 {child} 2> /dev/null; do :; done")).await;
    // Of an ended command nothing is left to be signalled, which is no error.
    process.signal(15, false).await.unwrap();
    process.signal(15, true).await.unwrap();
}

async fn waiting_again_gives_the_same_answer(context: Arc<Context>) {
    let linux_box = context.new_box().await;
    let process = linux_box.exec(script("exit 3")).await.unwrap();
    for _ in 0..3 {
        assert_eq!(process.wait().await.unwrap(), ExitStatus::Exited(3));
    }
}

async fn the_working_directory_is_relative_to_home(context: Arc<Context>) {
    let linux_box = context.new_box().await;
    linux_box.create_dir_all(Path::new("a/b")).await.unwrap();
    let said = run(&linux_box, ExecSpec { cwd: Some("a/b".into()), ..words(&["pwd"]) }).await;
    assert_eq!(said.stdout.trim(), linux_box.home().join("a/b").to_str().unwrap());
    assert_eq!(
        run(&linux_box, ExecSpec { cwd: Some("/usr".into()), ..words(&["pwd"]) }).await.stdout,
        "/usr\n"
    );
}

async fn files_are_written_and_read(context: Arc<Context>) {
    let linux_box = context.new_box().await;
    write(&linux_box, "deep/er/file", "first, and longer").await;
    write(&linux_box, "deep/er/file", "second").await;
    assert_eq!(sh(&linux_box, "cat deep/er/file").await, "second");
    assert_eq!(sh(&linux_box, "stat -c %a deep/er/file deep").await, "644\n755\n");
    // Whoever runs commands owns what the interface makes.
    sh(&linux_box, "test -O deep && test -O deep/er/file && echo more >> deep/er/file").await;
    assert_eq!(read(&linux_box, "deep/er/file").await, "secondmore\n");
    let absolute = format!("{}/deep/er/file", linux_box.user().home.display());
    assert_eq!(read(&linux_box, &absolute).await, "secondmore\n");
    let missing = linux_box.open(Path::new("missing"), OpenMode::Read).await.unwrap_err();
    assert_eq!(missing.kind(), std::io::ErrorKind::NotFound);
}

async fn names_may_hold_a_line_end(context: Arc<Context>) {
    let linux_box = context.new_box().await;
    write(&linux_box, "a\nb", "text").await;
    assert_eq!(sh(&linux_box, "cat $'a\\nb'").await, "text");
    assert_eq!(read(&linux_box, "a\nb").await, "text");
}

async fn what_is_not_a_file_is_not_opened(context: Arc<Context>) {
    let linux_box = context.new_box().await;
    sh(&linux_box, "mkfifo pipe; mkdir dir; ln -s pipe link").await;
    for name in ["pipe", "dir", "link", "/dev/null"] {
        let error = linux_box.open(Path::new(name), OpenMode::Read).await.unwrap_err();
        assert!(matches!(error, FileError::Io { .. }), "{name}: {error}");
    }
    for name in ["pipe", "dir"] {
        linux_box.open(Path::new(name), OpenMode::Write { mode: 0o644 }).await.unwrap_err();
    }
    for name in ["dir", ".", "/", "//", "/."] {
        for mode in [OpenMode::Read, OpenMode::Write { mode: 0o644 }] {
            let error = linux_box.open(Path::new(name), mode).await.unwrap_err();
            assert_eq!(error.kind(), std::io::ErrorKind::IsADirectory, "{name} {mode:?}: {error}");
        }
    }
    assert!(succeeds(&linux_box, "test -p pipe").await);
}

async fn directories_are_made(context: Arc<Context>) {
    let linux_box = context.new_box().await;
    linux_box.create_dir_all(Path::new("x/y/z")).await.unwrap();
    linux_box.create_dir_all(Path::new("x/y/z")).await.unwrap();
    sh(&linux_box, "test -d x/y/z && test -O x/y/z").await;
    write(&linux_box, "file", "").await;
    linux_box.create_dir_all(Path::new("file/below")).await.unwrap_err();
}

fn archive(entries: &[(&str, tar::EntryType, &str, &str)]) -> std::fs::File {
    let mut file = tempfile::tempfile().unwrap();
    let mut builder = tar::Builder::new(&mut file);
    for (name, kind, link, data) in entries {
        let mut header = tar::Header::new_gnu();
        let gnu = header.as_gnu_mut().unwrap();
        gnu.name[..name.len()].copy_from_slice(name.as_bytes());
        gnu.linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(*kind);
        header.set_mode(0o755);
        header.set_size(data.len() as u64);
        header.set_cksum();
        builder.append(&header, data.as_bytes()).unwrap();
    }
    builder.finish().unwrap();
    drop(builder);
    file.rewind().unwrap();
    file
}

async fn archives_are_unpacked(context: Arc<Context>) {
    use tar::EntryType::{Regular, Symlink};
    let linux_box = context.new_box().await;
    let entries = [("top/tool", Regular, "", "#!/bin/sh\necho tool\n"), ("top/link", Symlink, "tool", "")];
    linux_box.unpack(archive(&entries), ArchiveFormat::Tar, Path::new("into/here")).await.unwrap();
    assert_eq!(sh(&linux_box, "into/here/top/link; test -O into/here/top/tool").await, "tool\n");
    let mut plain = Vec::new();
    archive(&entries).read_to_end(&mut plain).unwrap();
    let mut encoder =
        flate2::write::GzEncoder::new(tempfile::tempfile().unwrap(), flate2::Compression::fast());
    encoder.write_all(&plain).unwrap();
    let mut zipped = encoder.finish().unwrap();
    zipped.rewind().unwrap();
    linux_box.unpack(zipped, ArchiveFormat::TarGz, Path::new("zipped")).await.unwrap();
    assert_eq!(sh(&linux_box, "zipped/top/tool").await, "tool\n");
    let damaged =
        linux_box.unpack(archive(&entries), ArchiveFormat::TarGz, Path::new("x")).await.unwrap_err();
    assert!(matches!(damaged, FileError::Archive { .. }), "{damaged}");
}

async fn hostile_archives_are_refused(context: Arc<Context>) {
    use tar::EntryType::{Block, Fifo, Link, Regular, Symlink};
    let linux_box = context.new_box().await;
    for (name, kind, link) in [
        ("../escaped", Regular, ""),
        ("/tmp/escaped", Regular, ""),
        ("a/../../escaped", Regular, ""),
        ("way-out", Symlink, "/etc"),
        ("way-up", Symlink, "../.."),
        ("hard", Link, "../../etc/passwd"),
        ("device", Block, ""),
        ("pipe", Fifo, ""),
    ] {
        let hostile = archive(&[(name, kind, link, "")]);
        let error = linux_box.unpack(hostile, ArchiveFormat::Tar, Path::new("target")).await.unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
    }
    assert_eq!(sh(&linux_box, "ls -A; ls -A target").await, "target\n");
}

async fn a_link_leads_no_archive_astray(context: Arc<Context>) {
    use tar::EntryType::{Regular, Symlink};
    let linux_box = context.new_box().await;
    sh(&linux_box, "mkdir target outside; ln -s ../outside target/planted").await;
    let through = archive(&[("planted/file", Regular, "", "x")]);
    linux_box.unpack(through, ArchiveFormat::Tar, Path::new("target")).await.unwrap_err();
    let own = archive(&[("d/link", Symlink, "../..", ""), ("d/link/outside/file", Regular, "", "x")]);
    linux_box.unpack(own, ArchiveFormat::Tar, Path::new("target")).await.unwrap_err();
    assert_eq!(sh(&linux_box, "ls -A outside").await, "");
}

async fn freezing_stops_and_thawing_continues(context: Arc<Context>) {
    let linux_box = context.new_box().await;
    let (process, pid) = background(&linux_box, "echo $$; while :; do :; done").await;
    let state = format!("cut -d' ' -f3 /proc/{pid}/stat");
    linux_box.freeze().await.unwrap();
    assert_eq!(sh(&linux_box, &state).await, "T\n");
    linux_box.thaw().await.unwrap();
    assert_eq!(sh(&linux_box, &state).await, "R\n");
    process.signal(9, false).await.unwrap();
    assert_eq!(process.wait().await.unwrap(), ExitStatus::Signaled(9));
}

async fn killing_spares_nothing_but_the_disk(context: Arc<Context>) {
    let linux_box = context.new_box().await;
    let marker = marker("hidden");
    // A daemon that forked twice into a session of its own, one deaf to signals, and a pair that restart each other.
    let daemons = format!(
        "echo kept > kept
        (setsid bash -c '(exec -a {marker}-daemon sleep 1000) & disown; exit' &)
        (exec -a {marker}-deaf bash -c 'trap \"\" TERM HUP INT; while :; do :; done' &)
        (exec -a {marker}-pair bash -c 'while :; do (exec -a {marker}-child sleep 1000); done' &)
        while [ $(ps -eo args | grep -c '^{marker}') -lt 4 ]; do :; done; echo started"
    );
    let (process, line) = background(&linux_box, &daemons).await;
    assert_eq!(line, "started");
    assert!(processes_with(&marker).len() >= 4);
    linux_box.kill_all().await.unwrap();
    assert_eq!(processes_with(&marker), Vec::<u32>::new());
    process.wait().await.unwrap();
    assert_eq!(sh(&linux_box, "cat kept").await, "kept\n");
}

async fn memory_file_systems_are_emptied(context: Arc<Context>) {
    let linux_box = context.new_box().await;
    sh(&linux_box, "echo x > /dev/shm/file; echo y > /tmp/file").await;
    linux_box.kill_all().await.unwrap();
    assert_eq!(sh(&linux_box, "ls /dev/shm; cat /tmp/file").await, "y\n");
}

/// The side that closes first keeps its port for a minute, whoever asks for it next: a killed server must not be felt by the
/// one that tests it.
async fn ports_are_free_after_a_kill(context: Arc<Context>) {
    const LISTEN: &str =
        "import socket\nserver = socket.socket()\nserver.bind(('127.0.0.1', 7777))\nserver.listen()\n";
    let linux_box = context.new_box().await;
    let closes_first = "client = socket.create_connection(('127.0.0.1', 7777))\nserver.accept()[0].close()\nclient.recv(1)\n";
    for script in [format!("{LISTEN}{closes_first}"), LISTEN.to_owned()] {
        let said = run(&linux_box, words(&["python3", "-c", &script])).await;
        assert_eq!((said.status, said.stderr.as_str()), (ExitStatus::Exited(0), ""));
        linux_box.kill_all().await.unwrap();
    }
}

async fn nothing_is_open_but_the_three_streams(context: Arc<Context>) {
    let linux_box = context.new_box().await;
    let said = run(&linux_box, words(&["ls", "/proc/self/fd"])).await;
    // The fourth is the directory that `ls` itself reads.
    assert_eq!(said.stdout, "0\n1\n2\n3\n");
}

async fn many_boxes_at_once(context: Arc<Context>) {
    let tasks: Vec<_> = (0..24)
        .map(|number| {
            let context = Arc::clone(&context);
            tokio::spawn(async move {
                let linux_box = context.new_box().await;
                write(&linux_box, "number", &number.to_string()).await;
                assert_eq!(sh(&linux_box, "cat number").await, number.to_string());
                linux_box
            })
        })
        .collect();
    let mut boxes = Vec::new();
    for task in tasks {
        boxes.push(task.await.unwrap());
    }
    assert_eq!(context.boxes_on_disk().len(), 24);
    for linux_box in boxes {
        linux_box.destroy().await;
    }
}

async fn a_destroyed_box_is_gone(context: Arc<Context>) {
    let linux_box = context.new_box().await;
    let (process, _) = background(&linux_box, "echo; sleep 1000").await;
    // What is hard to remove: closed directories, and deep ones.
    sh(&linux_box, "mkdir -p closed/in; touch closed/in/f; chmod 0 closed/in closed").await;
    sh(&linux_box, "for i in $(seq 300); do mkdir d; cd d; done").await;
    linux_box.destroy().await;
    linux_box.destroy().await;
    linux_box.gone().await;
    assert_eq!(process.wait().await.unwrap(), ExitStatus::Signaled(9));
    linux_box.exec(words(&["true"])).await.unwrap_err();
    linux_box.snapshot().await.unwrap_err();
    assert!(linux_box.failure().is_none());
    eventually("its directory's removal", || context.boxes_on_disk().is_empty()).await;
}

async fn the_last_handle_ends_the_box(context: Arc<Context>) {
    let marker = marker("handle");
    let linux_box = context.new_box().await;
    let (process, _) = background(&linux_box, &format!("echo; exec -a {marker} sleep 1000")).await;
    drop(linux_box);
    // A held command holds its box.
    eventually("the command", || processes_with(&marker).len() == 1).await;
    drop(process);
    eventually("the end of the box", || processes_with(&marker).is_empty()).await;
    eventually("its directory's removal", || context.boxes_on_disk().is_empty()).await;
}

async fn links_resolve_inside_the_box(context: Arc<Context>) {
    let linux_box = context.new_box().await;
    sh(&linux_box, "ln -s /etc/hostname absolute; ln -s ../../../../../../etc/hostname relative").await;
    assert_eq!(read(&linux_box, "absolute").await, "devbox\n");
    assert_eq!(read(&linux_box, "relative").await, "devbox\n");
}

async fn writes_through_links_stay_inside(context: Arc<Context>) {
    let linux_box = context.new_box().await;
    let name = format!("/tmp/{}", marker("link"));
    sh(&linux_box, &format!("ln -s {name} out")).await;
    write(&linux_box, "out", "inside").await;
    assert_eq!(sh(&linux_box, &format!("cat {name}")).await, "inside");
    assert!(!Path::new(&name).exists());
}

async fn the_host_name_is_the_box_s(context: Arc<Context>) {
    let linux_box = context.new_box().await;
    assert_eq!(sh(&linux_box, "cat /proc/sys/kernel/hostname; cat /etc/hostname").await, "devbox\ndevbox\n");
    assert!(sh(&linux_box, "cat /etc/hosts").await.contains("127.0.0.1 localhost devbox"));
    assert_eq!(
        sh(&linux_box, "bash -lc 'echo $PATH'").await,
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
    );
}

async fn exposed_directories_are_readable_only(context: Arc<Context>) {
    let tools = tempfile::tempdir_in(context.state_dir.parent().unwrap()).unwrap();
    std::fs::set_permissions(tools.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    std::fs::write(tools.path().join("tool"), "exposed").unwrap();
    let mut spec = context.spec();
    spec.expose = vec![tools.path().to_owned()];
    let linux_box = context.sandbox.create(spec).await.unwrap();
    let tool = tools.path().join("tool");
    assert_eq!(sh(&linux_box, &format!("cat {}", tool.display())).await, "exposed");
    assert!(!succeeds(&linux_box, &format!("echo changed > {}", tool.display())).await);
    assert!(!succeeds(&linux_box, &format!("touch {}/new", tools.path().display())).await);
    assert_eq!(std::fs::read_to_string(tool).unwrap(), "exposed");
}

/// A root file system with a shell in it, out of the host's own files.
fn small_base(directory: &Path) {
    for program in ["/bin/bash", "/bin/cat"] {
        let listing = std::process::Command::new("ldd").arg(program).output().unwrap();
        let text = String::from_utf8(listing.stdout).unwrap();
        let libraries = text.split_whitespace().filter(|word| word.starts_with('/'));
        for path in libraries.chain([program]) {
            let target = directory.join(path.trim_start_matches('/'));
            std::fs::create_dir_all(target.parent().unwrap()).unwrap();
            std::fs::copy(path, target).unwrap();
        }
    }
    std::fs::create_dir_all(directory.join("etc")).unwrap();
    std::fs::write(directory.join("etc/base"), "base\n").unwrap();
    // A base is not trusted: these must not lead out of it.
    std::os::unix::fs::symlink("/etc/shadow", directory.join("etc/group")).unwrap();
    std::os::unix::fs::symlink("/", directory.join("mnt")).unwrap();
}

async fn a_directory_can_be_the_base(context: Arc<Context>) {
    let base = tempfile::tempdir_in(context.state_dir.parent().unwrap()).unwrap();
    std::fs::set_permissions(base.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    small_base(base.path());
    let mut spec = context.spec();
    spec.base = runloop_sandbox::Base::Dir(base.path().to_owned());
    let linux_box = context.sandbox.create(spec.clone()).await.unwrap();
    assert_eq!(sh(&linux_box, "pwd; cat /etc/base; echo mine > file").await, "/home/user\nbase\n");
    assert!(!succeeds(&linux_box, "cat /etc/shells").await, "the host shows through");
    assert!(sh(&linux_box, "cat /etc/passwd").await.contains("user:x:1000:1000:user:/home/user:/bin/bash"));
    linux_box.kill_all().await.unwrap();
    let id = linux_box.snapshot().await.unwrap();
    let fork = context
        .sandbox
        .create(runloop_sandbox::BoxSpec { snapshot: Some(id), ..spec.clone() })
        .await
        .unwrap();
    assert_eq!(sh(&fork, "cat file").await, "mine\n");
    assert!(!base.path().join("home").exists());
    spec.base = runloop_sandbox::Base::Dir(base.path().join("nowhere"));
    let error = context.sandbox.create(spec).await.unwrap_err();
    assert!(matches!(error, runloop_sandbox::CreateError::NoSuchBase { .. }), "{error}");
}

async fn commands_run_as_any_user(context: Arc<Context>) {
    let linux_box = context.new_box().await;
    assert_eq!(sh(&linux_box, "id -u; id -g; id -un").await, "1000\n1000\nuser\n");
    let said = run(
        &linux_box,
        as_root(script("id -u; echo $HOME; echo x > /etc/new; chown 7:8 /etc/new; stat -c %u:%g /etc/new")),
    )
    .await;
    assert_eq!(said.stdout, "0\n/root\n7:8\n", "{}", said.stderr);
    assert!(!succeeds(&linux_box, "echo y > /etc/new").await);
}
