//! Snapshots, forks, and what becomes of them.

use std::sync::Arc;

use runloop_sandbox::{Base, BoxSpec, CreateError, DriverKind, ExitStatus, LinuxBox, Sandbox, SnapshotId};

use crate::context::*;

cases! {
    everywhere: an_idle_box_is_snapshot_and_goes_on, a_busy_box_is_snapshot_and_goes_on, forks_do_not_see_each_other,
        a_chain_of_snapshots_survives_deletion, snapshots_outlive_the_sandbox, unknown_snapshots_are_refused,
        a_frozen_box_stays_frozen;
    namespaces: deletions_are_part_of_a_snapshot, a_snapshot_fits_its_base_only, many_snapshots_can_be_stacked, forks_of_forks_of_forks,
        merged_snapshots_show_the_same,
        a_snapshot_before_destruction_costs_no_restart;
}

async fn fork(context: &Context, id: &SnapshotId) -> LinuxBox {
    context.sandbox.create(BoxSpec { snapshot: Some(id.clone()), ..context.spec() }).await.unwrap()
}

async fn an_idle_box_is_snapshot_and_goes_on(context: Arc<Context>) {
    let linux_box = context.new_box().await;
    sh(&linux_box, "echo before > file; chmod 600 file; ln -s file link; mkdir -m 700 dir").await;
    let id = linux_box.snapshot().await.unwrap();
    sh(&linux_box, "cat file; echo after > file; echo new > other").await;
    let copy = fork(&context, &id).await;
    assert_eq!(sh(&copy, "cat link; stat -c %a file dir; ls").await, "before\n600\n700\ndir\nfile\nlink\n");
    sh(&copy, "test -O file && test -O dir && echo mine > file").await;
    assert_eq!(sh(&linux_box, "cat file other").await, "after\nnew\n");
}

async fn a_busy_box_is_snapshot_and_goes_on(context: Arc<Context>) {
    let linux_box = context.new_box().await;
    sh(
        &linux_box,
        "echo text > one; ln one two; truncate -s 64M sparse; mkdir -m 500 closed; touch -d 2001-02-03 old",
    )
    .await;
    let mut process = linux_box.exec(with_input(script("echo ready; read line; echo $line"))).await.unwrap();
    assert_eq!(first_line(&mut process).await, "ready");
    let id = linux_box.snapshot().await.unwrap();
    let copy = fork(&context, &id).await;
    let look =
        "cat two; stat -c '%h %a' one closed; stat -c %s sparse; du -k sparse | cut -f1; date -r old +%F";
    let said = sh(&copy, look).await;
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[..3], ["text", "2 644", "2 500"]);
    assert_eq!(lines[3], "67108864");
    assert!(lines[4].parse::<u64>().unwrap() < 1024, "holes were filled: {said}");
    assert_eq!(lines[5], "2001-02-03");
    assert!(!succeeds(&copy, "ps -eo args | grep -q 'read [l]ine'").await || context.is_process());
    // The command that was running did not notice.
    use tokio::io::AsyncWriteExt;
    process.stdin.take().unwrap().write_all(b"went on\n").await.unwrap();
    let said = finish(process).await;
    assert_eq!((said.status, said.stdout.as_str()), (ExitStatus::Exited(0), "went on\n"));
}

async fn a_frozen_box_stays_frozen(context: Arc<Context>) {
    let linux_box = context.new_box().await;
    let (_process, pid) = background(&linux_box, "echo $$; while :; do :; done").await;
    linux_box.freeze().await.unwrap();
    linux_box.snapshot().await.unwrap();
    assert_eq!(sh(&linux_box, &format!("cut -d' ' -f3 /proc/{pid}/stat")).await, "T\n");
    linux_box.thaw().await.unwrap();
    assert_eq!(sh(&linux_box, &format!("cut -d' ' -f3 /proc/{pid}/stat")).await, "R\n");
}

async fn forks_do_not_see_each_other(context: Arc<Context>) {
    let linux_box = context.new_box().await;
    sh(&linux_box, "echo shared > file").await;
    let id = linux_box.snapshot().await.unwrap();
    let (one, two) = (fork(&context, &id).await, fork(&context, &id).await);
    sh(&one, "echo one >> file; echo > only-one").await;
    assert_eq!(sh(&two, "cat file; ls").await, "shared\nfile\n");
    let from_fork = one.snapshot().await.unwrap();
    assert_eq!(sh(&fork(&context, &from_fork).await, "cat file").await, "shared\none\n");
}

async fn a_chain_of_snapshots_survives_deletion(context: Arc<Context>) {
    let linux_box = context.new_box().await;
    sh(&linux_box, "echo 1 > one").await;
    let first = linux_box.snapshot().await.unwrap();
    sh(&linux_box, "echo 2 > two").await;
    let second = linux_box.snapshot().await.unwrap();
    linux_box.destroy().await;
    context.sandbox.delete_snapshot(&first).await.unwrap();
    context.sandbox.delete_snapshot(&first).await.unwrap();
    assert!(!context.sandbox.has_snapshot(&first) && context.sandbox.has_snapshot(&second));
    let copy = fork(&context, &second).await;
    assert_eq!(sh(&copy, "cat one two").await, "1\n2\n");
    context.sandbox.delete_snapshot(&second).await.unwrap();
    assert_eq!(sh(&copy, "cat one two").await, "1\n2\n");
    copy.destroy().await;
    assert_eq!(context.layers_on_disk(), Vec::<String>::new());
}

async fn snapshots_outlive_the_sandbox(context: Arc<Context>) {
    let directory = context.state_dir.with_file_name("second");
    let first = Sandbox::open(crate::options(&directory, context.kind)).await.unwrap();
    let linux_box = first.create(context.spec()).await.unwrap();
    sh(&linux_box, "echo kept > file").await;
    let id = linux_box.snapshot().await.unwrap();
    let text = id.as_str().to_owned();
    first.close().await;
    drop((linux_box, first));
    let second = Sandbox::open(crate::options(&directory, context.kind)).await.unwrap();
    let id = SnapshotId::parse(&text).unwrap();
    assert!(second.has_snapshot(&id));
    let copy = second.create(BoxSpec { snapshot: Some(id), ..context.spec() }).await.unwrap();
    assert_eq!(sh(&copy, "cat file").await, "kept\n");
    second.close().await;
}

async fn unknown_snapshots_are_refused(context: Arc<Context>) {
    let id = SnapshotId::parse("snp-0-0-0").unwrap();
    assert!(!context.sandbox.has_snapshot(&id));
    context.sandbox.delete_snapshot(&id).await.unwrap();
    let error = context.sandbox.create(BoxSpec { snapshot: Some(id), ..context.spec() }).await.unwrap_err();
    assert!(matches!(error, CreateError::NoSuchSnapshot(_)), "{error}");
}

async fn deletions_are_part_of_a_snapshot(context: Arc<Context>) {
    let linux_box = context.new_box().await;
    let change =
        "rm /etc/profile; mkdir /etc/skel.d; rm -rf /etc/skel; mkdir /etc/skel; echo new > /etc/skel/new";
    let said = run(&linux_box, as_root(script(change))).await;
    assert_eq!(said.status, ExitStatus::Exited(0), "{}", said.stderr);
    let look = "test ! -e /etc/profile && test -d /etc/skel.d && ls -A /etc/skel";
    // Once by stacking, and from there once by copying.
    let stacked = linux_box.snapshot().await.unwrap();
    let copy = fork(&context, &stacked).await;
    assert_eq!(sh(&copy, look).await, "new\n");
    let said = run(&copy, as_root(script("rm /etc/skel/new"))).await;
    assert_eq!(said.status, ExitStatus::Exited(0), "{}", said.stderr);
    let (_process, _) = background(&copy, "echo; sleep 1000").await;
    let copied = copy.snapshot().await.unwrap();
    assert_eq!(sh(&fork(&context, &copied).await, look).await, "");
    assert_eq!(sh(&linux_box, look).await, "new\n");
}

async fn a_snapshot_fits_its_base_only(context: Arc<Context>) {
    let linux_box = context.new_box().await;
    let id = linux_box.snapshot().await.unwrap();
    let spec = BoxSpec { snapshot: Some(id), base: Base::Dir("/usr".into()), ..context.spec() };
    let error = context.sandbox.create(spec).await.unwrap_err();
    assert!(matches!(error, CreateError::SnapshotMismatch { .. }), "{error}");
}

/// Layers that a snapshot stands on.
fn layers_below(context: &Context, id: &SnapshotId) -> usize {
    let meta = context.state_dir.join("layers").join(id.as_str()).join("meta.json");
    std::fs::read_to_string(meta).unwrap().matches("snp-").count()
}

async fn many_snapshots_can_be_stacked(context: Arc<Context>) {
    let linux_box = context.new_box().await;
    let mut last = None;
    for number in 0..420 {
        if number % 10 == 0 {
            write(&linux_box, &format!("file-{number}"), "x").await;
        }
        last = Some(linux_box.snapshot().await.unwrap());
    }
    let copy = fork(&context, &last.unwrap()).await;
    for linux_box in [copy, linux_box] {
        assert_eq!(sh(&linux_box, "ls | wc -l").await, "42\n");
    }
}

async fn forks_of_forks_of_forks(context: Arc<Context>) {
    let mut last = context.new_box().await.snapshot().await.unwrap();
    for number in 0..100 {
        let linux_box = fork(&context, &last).await;
        write(&linux_box, &format!("file-{number}"), "x").await;
        let next = linux_box.snapshot().await.unwrap();
        linux_box.destroy().await;
        context.sandbox.delete_snapshot(&last).await.unwrap();
        last = next;
    }
    eventually("the merging", || context.layers_on_disk().len() < 70).await;
    assert_eq!(sh(&fork(&context, &last).await, "ls | wc -l").await, "100\n");
}

async fn merged_snapshots_show_the_same(context: Arc<Context>) {
    let linux_box = context.new_box().await;
    let mut changes = vec![
        "rm /etc/profile; mkdir /etc/new; echo old > /etc/new/one; echo old > /etc/new/two",
        "rm -rf /etc/skel; mkdir /etc/skel; echo new > /etc/skel/new; rm /etc/new/one; echo new > /etc/new/three",
        "cd /home/user; echo text > one; ln one two; chmod 4750 two; touch -d 2001-02-03 one; mkfifo pipe; ln -s /etc/new link",
        "rm -rf /etc/new; mkdir -m 711 /etc/new; echo new > /etc/new/two",
    ];
    if context.kind == DriverKind::NamespacesRoot {
        changes.push("touch /etc/mine; chown 1000:33 /etc/mine");
    }
    let mut taken = Vec::new();
    for change in &changes {
        let said = run(&linux_box, as_root(script(change))).await;
        assert_eq!(said.status, ExitStatus::Exited(0), "{}", said.stderr);
        taken.push(linux_box.snapshot().await.unwrap());
    }
    let look = "test ! -e /etc/profile && ls -A /etc/skel /etc/new && stat -c '%A %h %Y %n' /home/user/* && \
        stat -c '%A %n' /etc/new && cat /etc/new/two /home/user/two && stat -c '%u:%g' /etc/mine || true";
    let before = run(&fork(&context, taken.last().unwrap()).await, as_root(script(look))).await.stdout;
    assert!(!before.contains("three") && before.contains("drwx--x--x /etc/new\nnew\ntext\n"), "{before}");
    for _ in 0..70 {
        taken.push(linux_box.snapshot().await.unwrap());
    }
    let last = taken.pop().unwrap();
    eventually("the merging", || layers_below(&context, &last) < 64).await;
    for id in &taken {
        context.sandbox.delete_snapshot(id).await.unwrap();
    }
    let copy = fork(&context, &last).await;
    assert_eq!(run(&copy, as_root(script(look))).await.stdout, before);
    assert_eq!(run(&linux_box, as_root(script(look))).await.stdout, before);
    // The box it was taken of stands on what was there before, until it is snapshot again.
    linux_box.snapshot().await.unwrap();
    assert_eq!(run(&linux_box, as_root(script(look))).await.stdout, before);
    assert!(context.layers_on_disk().len() < 20, "{:?}", context.layers_on_disk());
    // What is merged can be changed like anything else.
    let change =
        "rm -r /etc/new /etc/skel/new; mkdir /etc/new; ls -A /etc/new /etc/skel; echo more >> /home/user/one";
    let said = run(&copy, as_root(script(change))).await;
    assert_eq!((said.stdout.as_str(), said.stderr.as_str()), ("/etc/new:\n\n/etc/skel:\n", ""));
}

async fn a_snapshot_before_destruction_costs_no_restart(context: Arc<Context>) {
    let linux_box = context.new_box().await;
    sh(&linux_box, "echo x > file").await;
    linux_box.kill_all().await.unwrap();
    let id = linux_box.snapshot().await.unwrap();
    let again = linux_box.snapshot().await.unwrap();
    assert_eq!(crate::outside::brokers_of(&context), Vec::<u32>::new());
    linux_box.destroy().await;
    for id in [id, again] {
        assert_eq!(sh(&fork(&context, &id).await, "cat file").await, "x\n");
    }
}
