//! Devboxes: their life from request to end.

#[expect(clippy::module_inception, reason = "the type this module is about, beside its helpers")]
mod devbox;
mod idle;
mod lifecycle;
mod mask;
mod mounts;
mod network;
mod path;
mod plan;
mod registry;
mod size;
mod snapshot;
mod usage;

pub(crate) use devbox::Devbox;
pub(crate) use lifecycle::{NewExecution, create, end_all, exec, restore, resume, shutdown, suspend};
pub(crate) use mask::mask;
pub(crate) use mounts::{file_error, place, write_file};
pub(crate) use path::box_path;
pub(crate) use plan::{
    check_command, check_launch, command_env, environment, launch_user, layer_id, named_blueprint, network,
    shell_env, usable_blueprint,
};
pub(crate) use registry::Registry;
pub(crate) use snapshot::{check_message, snapshot};
pub(crate) use usage::usage;
