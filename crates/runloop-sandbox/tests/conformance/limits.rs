//! What tries to take more than its share.

use std::sync::Arc;

use runloop_sandbox::{BoxFailure, BoxSpec, ExitStatus, Guarantee, Limits};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::context::*;

cases! {
    counted: a_fork_bomb_stays_inside;
    everywhere: a_memory_hog_is_killed, a_box_is_not_lost_to_what_it_outlived, a_box_lost_to_its_memory_says_so, a_disk_hog_is_killed,
        no_file_is_larger_than_the_disk;
}

async fn a_fork_bomb_stays_inside(context: Arc<Context>) {
    let limits = Limits { pids: Some(60), ..Limits::default() };
    let linux_box = context.sandbox.create(BoxSpec { limits, ..context.spec() }).await.unwrap();
    let marker = marker("bomb");
    write(
        &linux_box,
        "bomb",
        &format!("echo up; for i in 1 2 3; do bash bomb {marker} & done; wait; sleep 1000"),
    )
    .await;
    let (_process, _) = background(&linux_box, &format!("bash bomb {marker} 2> /dev/null")).await;
    eventually("the bomb's growth to its limit", || processes_with(&marker).len() > 40).await;
    assert!(processes_with(&marker).len() <= 60);
    // Another box does not notice.
    let other = context.new_box().await;
    assert_eq!(sh(&other, "echo fine").await, "fine\n");
    linux_box.kill_all().await.unwrap();
    assert_eq!(processes_with(&marker), Vec::<u32>::new());
    assert_eq!(sh(&linux_box, "echo alive").await, "alive\n");
}

async fn a_memory_hog_is_killed(context: Arc<Context>) {
    let limits = Limits { memory_bytes: Some(64 << 20), ..Limits::default() };
    let linux_box = context.sandbox.create(BoxSpec { limits, ..context.spec() }).await.unwrap();
    // `tail` keeps a line without an end in memory.
    let said = run(&linux_box, script("exec tail /dev/zero")).await;
    assert_eq!(said.status, ExitStatus::Signaled(9));
    assert_eq!(linux_box.failure(), Some(BoxFailure::OutOfMemory));
    assert_eq!(sh(&linux_box, "echo alive").await, "alive\n");
}

async fn a_box_is_not_lost_to_what_it_outlived(context: Arc<Context>) {
    let limits = Limits { memory_bytes: Some(64 << 20), ..Limits::default() };
    let linux_box = context.sandbox.create(BoxSpec { limits, ..context.spec() }).await.unwrap();
    assert_eq!(run(&linux_box, script("exec tail /dev/zero")).await.status, ExitStatus::Signaled(9));
    assert_eq!(sh(&linux_box, "echo alive").await, "alive\n");
    assert_eq!(linux_box.failure(), Some(BoxFailure::OutOfMemory));
    crate::outside::signal_the_broker(&context, "KILL");
    linux_box.gone().await;
    assert_eq!(linux_box.failure(), Some(BoxFailure::Lost));
}

async fn a_box_lost_to_its_memory_says_so(context: Arc<Context>) {
    let Guarantee::Enforced(_) = context.sandbox.guarantees().memory else {
        // The broker watches, and cannot be lost to a kill that it does itself.
        return;
    };
    let limits = Limits { memory_bytes: Some(64 << 20), ..Limits::default() };
    let linux_box = context.sandbox.create(BoxSpec { limits, ..context.spec() }).await.unwrap();
    let mut process =
        linux_box.exec(with_input(script("echo; read line; exec tail /dev/zero"))).await.unwrap();
    first_line(&mut process).await;
    // From here on the broker shows no sign of life, as one that the kernel is killing.
    crate::outside::signal_the_broker(&context, "STOP");
    process.stdin.take().unwrap().write_all(b"\n").await.unwrap();
    // Its output is at its end when the kernel has killed it: nobody else has it.
    process.stdout.take().unwrap().read_to_end(&mut Vec::new()).await.unwrap();
    crate::outside::signal_the_broker(&context, "KILL");
    linux_box.gone().await;
    assert_eq!(linux_box.failure(), Some(BoxFailure::OutOfMemory));
}

async fn a_disk_hog_is_killed(context: Arc<Context>) {
    let limits = Limits { disk_bytes: Some(24 << 20), ..Limits::default() };
    let linux_box = context.sandbox.create(BoxSpec { limits, ..context.spec() }).await.unwrap();
    let hog = "i=0; while i=$((i+1)); do head -c 2M /dev/zero > f$((i % 500)); done";
    assert_eq!(run(&linux_box, script(hog)).await.status, ExitStatus::Signaled(9));
    assert_eq!(linux_box.failure(), Some(BoxFailure::OutOfDisk));
    sh(&linux_box, "rm f*; echo alive > small").await;
}

async fn no_file_is_larger_than_the_disk(context: Arc<Context>) {
    let limits = Limits { disk_bytes: Some(4 << 20), ..Limits::default() };
    let linux_box = context.sandbox.create(BoxSpec { limits, ..context.spec() }).await.unwrap();
    let said = run(&linux_box, script("exec head -c 64M /dev/zero > large")).await;
    assert_eq!(said.status, ExitStatus::Signaled(25));
}
