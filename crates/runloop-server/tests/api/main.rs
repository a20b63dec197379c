//! The API over real sandboxes, spoken as plain HTTP.
//!
//! A harness of its own: the test program is the sandbox's helper, too, and must say so before anything else.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a panic is the failure report of a test")]

mod blueprints;
mod devboxes;
mod executions;
mod files;
mod network_policies;
mod objects;
mod protocol;
mod restart;
mod secrets;
mod snapshots;
mod streams;
mod support;

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};
use runloop_server::Server;

use support::{Api, Shared, options, share, with_api};

macro_rules! trials {
    ($($module:ident: $($test:ident)+;)+) => {
        vec![$($(
            Trial::test(concat!(stringify!($module), "::", stringify!($test)), || {
                with_api($module::$test);
                Ok(())
            }),
        )+)+]
    };
}

fn main() -> ExitCode {
    runloop_sandbox::init();
    if let Some(data_dir) = std::env::var_os(restart::CHILD) {
        return restart::serve_until_killed(data_dir.as_ref());
    }
    let mut arguments = Arguments::from_args();
    if arguments.test_threads.is_none() {
        // Tests mostly wait for boxes; more of them than cores keep the cores busy.
        arguments.test_threads = Some(6);
    }
    let trials = trials();
    if arguments.list {
        return libtest_mimic::run(&arguments, trials).exit_code();
    }
    rustls::crypto::ring::default_provider().install_default().expect("no provider is installed yet");
    let data = tempfile::tempdir().expect("a temporary directory");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let server = runtime.block_on(Server::start(options(data.path()))).expect("the server starts");
    let shared = Arc::new(Shared { api: Api::of(&server), runtime });
    share(Arc::clone(&shared));
    let conclusion = libtest_mimic::run(&arguments, trials);
    shared.runtime.block_on(server.shutdown());
    conclusion.exit_code()
}

fn trials() -> Vec<Trial> {
    trials! {
        protocol:
            a_request_without_the_right_key_is_refused
            a_request_for_another_host_is_refused
            what_is_not_served_says_so
            malformed_json_is_told_with_its_place
            an_empty_body_is_an_empty_object
            http2_with_prior_knowledge_is_spoken
            a_body_that_is_too_large_is_refused
            a_repeated_request_is_done_once
            concurrent_duplicates_are_done_once
            a_request_id_cannot_be_used_for_two_requests
            a_request_whose_client_hung_up_is_done_all_the_same
            the_account_is_there
            unknown_and_malformed_ids_are_told_apart;
        devboxes:
            a_devbox_is_created_listed_and_shut_down
            creation_in_steps
            pages_of_devboxes
            name_and_metadata_are_updated
            a_wait_that_expires_is_a_408
            a_wait_for_nothing_is_refused
            environment_user_and_home
            launch_commands_run_before_it_is_running
            a_failing_launch_command_fails_the_devbox
            files_and_objects_are_mounted
            a_hostile_archive_fails_the_devbox
            suspend_and_resume_keep_the_disk_and_lose_the_processes
            suspend_commands_run_first
            only_what_runs_can_be_suspended
            an_unused_devbox_is_shut_down
            keep_alive_keeps_it_alive
            an_idle_devbox_is_suspended
            the_end_of_the_entrypoint_is_the_end_of_the_devbox
            what_is_not_served_is_refused_at_creation
            references_to_nothing_are_refused
            logs_and_usage
            nothing_runs_in_a_devbox_that_has_ended;
        executions:
            a_command_runs_in_a_login_shell_at_home
            output_and_status_come_back
            the_same_command_id_never_runs_twice
            a_command_id_of_another_command_is_refused
            a_long_command_is_not_held_up_for_longer_than_asked
            execute_async_returns_at_once
            a_wait_that_expires_asks_for_a_retry
            a_wait_for_what_cannot_come_expires
            views_hold_the_last_lines
            a_kill_ends_with_137
            a_kill_of_the_group_ends_children_too
            a_background_process_does_not_hold_up_its_command
            late_output_is_appended
            standard_input_is_sent_and_closed
            an_interrupt_ends_what_runs
            standard_input_must_be_asked_for
            execute_sync_answers_all_output
            output_that_cannot_be_stored_fails_its_execution
            named_shells_are_refused
            commands_that_cannot_be_are_refused
            a_missing_program_is_127
            many_commands_at_once
            too_many_commands_at_once_are_refused;
        streams:
            a_stream_replays_and_ends
            a_stream_follows_a_running_command
            a_stream_resumes_at_exactly_the_byte
            characters_are_never_split
            twenty_megabytes_come_through_whole
            malformed_offsets_are_refused
            a_silent_stream_has_heartbeats;
        files:
            text_is_written_and_read
            bytes_are_uploaded_and_downloaded
            paths_are_resolved_as_the_api_says
            names_with_newlines_and_spaces_are_names
            what_is_not_there_is_a_404
            what_is_no_file_is_refused
            hostile_paths_stay_in_the_box
            an_upload_may_tell_its_path_last
            uploads_without_their_parts_are_refused
            files_of_five_megabytes_come_back_whole
            what_is_too_large_is_refused;
        snapshots:
            a_devbox_starts_from_a_snapshot
            a_suspended_devbox_is_snapshot_and_resumed
            an_async_snapshot_completes
            a_shutdown_waits_for_a_snapshot_unless_forced
            snapshots_are_filtered_by_metadata
            a_deleted_snapshot_stays_readable
            snapshots_are_updated
            what_cannot_be_snapshot_is_refused
            a_snapshot_outlives_its_devbox;
        objects:
            an_object_is_uploaded_completed_and_downloaded
            signatures_are_checked
            an_object_changes_once
            an_empty_upload_cannot_be_completed
            objects_are_listed_and_filtered
            a_deleted_object_stays_readable
            an_objects_time_ends
            impossible_objects_are_refused;
        blueprints:
            a_blueprint_is_built_and_used
            the_newest_build_of_a_name_is_used
            a_failing_build_fails_with_its_log
            secrets_of_a_build_are_not_in_the_image
            a_blueprint_builds_on_another
            launch_parameters_are_inherited
            dockerfiles_are_refused_with_a_way_out
            a_deleted_blueprint_stays_readable
            dependent_snapshots_keep_a_blueprint;
        secrets:
            a_secret_becomes_an_environment_variable
            values_are_never_shown
            secrets_by_name_and_by_id
            a_name_is_taken_once
            an_update_does_not_reach_running_devboxes;
        network_policies:
            a_policy_is_created_updated_and_deleted
            deny_all_is_enforced
            a_policy_that_cannot_be_held_is_refused
            a_policy_in_use_is_not_deleted
            impossible_policies_are_refused;
        restart:
            what_must_outlive_a_restart_does
            a_killed_server_leaves_failed_devboxes
            layers_that_no_server_knows_are_collected
            layers_of_a_sandbox_that_was_handed_in_are_left_alone
            one_data_directory_one_server
            a_box_that_dies_fails_its_devbox
            a_graceful_shutdown_ends_everything
            a_dropped_server_ends_its_boxes
            a_taken_port_is_told
            a_key_can_be_given;
    }
}
