//! Isolated Linux boxes: long-lived environments that are created in milliseconds, run many commands, and can be
//! snapshot and forked.
//!
//! A [`Sandbox`] is the factory, a [`LinuxBox`] is one environment. What a box really guarantees on this machine is
//! found by trying, not by guessing: see [`Probe`] and [`Guarantees`].
//!
//! A program that uses this crate calls [`init`] in the first line of `main`: boxes are made by a re-execution of the
//! same program, so that no helper binary needs to be installed.

mod broker;
mod confine;
mod drivers;
mod groups;
mod guarantees;
mod helper;
mod id_maps;
mod layers;
mod life;
mod linux_box;
mod machine;
mod mount_namespaces;
mod mountinfo;
mod namespace;
mod places;
mod probe;
mod protocol;
mod reaper;
mod sandbox;
mod session;
mod skeleton;
mod spares;
mod spec;
mod sys;
mod text;
mod tree;
mod watcher;
mod wire;
mod zygote;

pub use guarantees::{DriverKind, Guarantee, Guarantees, Probe, ProbeStep};
pub use linux_box::{
    ArchiveFormat, BoxFailure, ExecError, ExecSpec, ExitStatus, FileError, LinuxBox, OpenMode, Process,
    SnapshotError, Stdin,
};
pub use sandbox::{CreateError, DriverChoice, OpenError, Sandbox, SandboxOptions, init};
pub use spec::{Base, BoxSpec, Limits, Network, SnapshotId, User};
