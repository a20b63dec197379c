//! Whole runs against devboxes that really run bash and git, each in a directory of its own.

use eval_builder::{Agent, AgentKind, Expect, FileEntry, Scenario, Solution, SolutionKind, Verify};
use eval_record::{Cause, TrialState};
use runloop_types::TestFile;

use crate::fake::Fake;
use crate::fixtures::{
    Ran, agent, command_scorer, options, plan, run_plan, run_with, scenario, scorer, set_up,
};
use crate::{Cancellation, HostAccess, RunOptions};

/// A checkout with a tracked file that is ignored, an ignored one, and one that nobody added.
const CHECKOUT: &str = "git init -q -b main\n\
    printf 'one\\ntwo\\n' >text; printf '\\0\\1\\2' >binary; echo run >tool; echo old >gone; echo v1 >kept.log\n\
    echo '*.log' >.gitignore\n\
    git add -A; git add -f kept.log\n\
    GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b git commit -qm base\n\
    echo scratch >untracked; echo built >built.log";

fn checkout(verify: Verify, check: &str) -> Scenario {
    let mut scenario = set_up(scenario("s", verify), &[CHECKOUT]);
    scenario.scorers = vec![command_scorer("test", check)];
    scenario
}

fn doing(command: &str) -> Agent {
    agent(AgentKind::Command(command.to_owned()))
}

async fn judged(scenario: Scenario, agent: Agent) -> Ran {
    run_plan(Fake::real(), plan(vec![scenario], agent, 1)).await
}

fn score(ran: &Ran) -> f64 {
    let result = ran.result();
    let files = ran.sink.files.lock().unwrap();
    assert_eq!(result.state, TrialState::Scored, "{result:?} {files:?} {:?}", ran.fake.calls());
    result.score.unwrap()
}

#[tokio::test]
async fn pristine_carries_over_the_work_and_nothing_else() {
    let work = "echo three >>text; printf '\\0\\1\\3' >binary; chmod +x tool; rm gone; mkdir new; ln -s ../text new/link\n\
        echo v2 >kept.log; echo more >>untracked; echo 'it '\\''s' >'odd name'\n\
        git config user.email x@y; git config user.name x; git add -A; git commit -qm work\n\
        echo after >>text\n\
        echo cheat >built.log; echo cheat >~/outside; mkdir -p ~/.local/bin; echo 'exit 0' >~/.bash_profile";
    let check = "set -e\n\
        [ \"$(cat text)\" = \"$(printf 'one\\ntwo\\nthree\\nafter')\" ]; [ \"$(od -An -tx1 binary | tr -d ' ')\" = 000103 ]\n\
        [ -x tool ]; [ ! -e gone ]; [ \"$(readlink new/link)\" = ../text ]; [ \"$(cat kept.log)\" = v2 ]\n\
        [ \"$(cat untracked)\" = \"$(printf 'scratch\\nmore')\" ]; [ -f 'odd name' ]\n\
        [ \"$(cat built.log)\" = built ]; [ ! -e ~/outside ]; [ ! -e ~/.bash_profile ]; [ ! -e ~/.local ]";
    let ran = judged(checkout(Verify::Pristine, check), doing(work)).await;
    assert_eq!(score(&ran), 1.0, "{:?}", ran.result());
    let files = ran.sink.files.lock().unwrap();
    let diff = &files["trials/s/agent/1/attempt-1/diff.patch"];
    assert!(diff.contains("+three") && diff.contains("GIT binary patch"), "{diff}");
    assert_eq!(files["problems/s.md"], "Make it work.");
}

#[tokio::test]
async fn pristine_with_nothing_done_applies_nothing() {
    let ran = judged(
        checkout(Verify::Pristine, "[ \"$(cat untracked)\" = scratch ]"),
        doing("git gc -q; git status"),
    )
    .await;
    assert_eq!(score(&ran), 1.0);
    assert_eq!(ran.fake.params("scoring").mounts.unwrap_or_default(), []);
    assert_eq!(ran.fake.count("execute scoring"), 1);
}

#[tokio::test]
async fn settings_of_the_agents_git_do_not_spoil_its_diff() {
    let work = "git config diff.noprefix true; git config diff.mnemonicPrefix true; git config core.autocrlf true\n\
        git config diff.external /bin/false; git config core.hooksPath /tmp; git config diff.context 0\n\
        git config core.fsmonitor /bin/false; git config color.diff always; git config diff.renames copies\n\
        git mv text moved; echo '* diff=odd' >.gitattributes; git config diff.odd.textconv /bin/false\n\
        printf 'a\\r\\nb\\r\\n' >crlf";
    let check = "[ -f moved ] && [ ! -e text ] && [ \"$(wc -c <crlf)\" -eq 6 ]";
    let ran = judged(checkout(Verify::Pristine, check), doing(work)).await;
    assert_eq!(score(&ran), 1.0, "{:?}", ran.result());
}

#[tokio::test]
async fn pristine_survives_an_agent_that_destroys_its_checkout() {
    let work = "rm -rf .git gone; echo three >>text; mkdir deep; echo x >deep/file";
    let check = "[ -d .git ] && [ ! -e gone ] && grep -q three text && [ -f deep/file ] && git status -s | grep -q text";
    let ran = judged(checkout(Verify::Pristine, check), doing(work)).await;
    assert_eq!(score(&ran), 1.0, "{:?}", ran.result());
}

#[tokio::test]
async fn what_git_ignores_stays_as_it_was_prepared_also_when_the_checkout_is_destroyed() {
    let work = "rm -rf .git; echo cheat >built.log; echo cheat >new.log; echo three >>text";
    let check = "[ \"$(cat built.log)\" = built ] && [ ! -e new.log ] && grep -q three text";
    let ran = judged(checkout(Verify::Pristine, check), doing(work)).await;
    assert_eq!(score(&ran), 1.0, "{:?}", ran.result());
}

#[tokio::test]
async fn a_checkout_inside_the_checkout_is_work_like_any_other() {
    let nest = "mkdir inner; cd inner; git init -q; echo x >file";
    let commit = "git add -A; git -c user.name=a -c user.email=a@b commit -qm inner";
    for work in [nest.to_owned(), format!("{nest}; {commit}")] {
        let ran = judged(checkout(Verify::Pristine, "[ -f inner/file ]"), doing(&work)).await;
        assert_eq!(score(&ran), 1.0, "{work}: {:?}", ran.result());
    }
}

#[tokio::test]
async fn files_travel_byte_by_byte_whatever_attributes_say_of_them() {
    for attributes in
        ["* text=auto eol=crlf", "* working-tree-encoding=UTF-16", "* ident export-subst", "* filter=x -diff"]
    {
        let work = format!(
            "git config filter.x.clean 'sleep 1000'; git config filter.x.required true\n\
             echo '{attributes}' | tee .git/info/attributes >.gitattributes; printf 'a\\r\\nb\\n$Id$\\n' >mixed"
        );
        let check = "[ \"$(od -An -tx1 mixed | tr -d ' \\n')\" = 610d0a620a244964240a ]";
        let ran = judged(checkout(Verify::Pristine, check), doing(&work)).await;
        assert_eq!(score(&ran), 1.0, "{attributes}: {:?}", ran.result());
    }
}

#[tokio::test]
async fn unreadable_work_is_work_and_pipes_hold_nobody_up() {
    let traps = [
        "mkdir z; echo x >z/f; chmod 000 z tool",
        "rm .git/config; mkfifo .git/config",
        "rm .git/HEAD; mkfifo .git/HEAD",
        "rm -rf .git; mkfifo .git",
        "rm -rf .git; echo 'gitdir: /dev/stdin' >.git",
        "rm -rf ~/.runloop-eval/git; mkfifo ~/.runloop-eval/git",
        "rm ~/.runloop-eval/git/info/exclude ~/.runloop-eval/git/config; mkfifo ~/.runloop-eval/git/info/exclude ~/.runloop-eval/git/config",
        "mkfifo pipe",
    ];
    for trap in traps {
        let ran = judged(
            checkout(Verify::Pristine, "grep -q three text"),
            doing(&format!("echo three >>text; {trap}")),
        )
        .await;
        assert_eq!(score(&ran), 1.0, "{trap}: {:?}", ran.result());
    }
}

#[tokio::test]
async fn pristine_works_without_git() {
    let mut plain = set_up(scenario("s", Verify::Pristine), &["echo one >a; echo two >b"]);
    plain.scorers = vec![command_scorer("test", "[ ! -e a ] && grep -q done b && [ ! -e ~/outside ]")];
    let ran = judged(plain, doing("rm a; echo done >b; echo x >~/outside")).await;
    assert_eq!(score(&ran), 1.0, "{:?}", ran.result());
}

#[tokio::test]
async fn pristine_carries_over_declared_paths_only() {
    let mut declared =
        set_up(scenario("s", Verify::Pristine), &["mkdir src out; echo 1 >src/a; echo 1 >other"]);
    declared.artifacts = vec!["src".to_owned(), "out/report.txt".to_owned(), "absent".to_owned()];
    let check = "[ \"$(cat src/b)\" = 2 ] && [ ! -e src/a ] && [ \"$(cat out/report.txt)\" = 2 ] && [ \"$(cat other)\" = 1 ]";
    declared.scorers = vec![command_scorer("test", check)];
    let ran = judged(declared, doing("rm src/a; echo 2 >src/b; echo 2 >out/report.txt; echo 2 >other")).await;
    assert_eq!(score(&ran), 1.0, "{:?}", ran.result());
}

#[tokio::test]
async fn what_cannot_be_judged_scores_nothing_and_is_valid() {
    let ran = judged(checkout(Verify::Pristine, "true"), doing("cd; rm -rf repo; echo >repo")).await;
    assert_eq!(score(&ran), 0.0);
    assert!(ran.result().message.as_ref().unwrap().starts_with("artifacts unusable: "), "{:?}", ran.result());

    let mut limited = options();
    limited.limits.artifact_bytes = 1000;
    let big = doing("head -c 5000 /dev/urandom >big");
    let plan = plan(vec![checkout(Verify::Pristine, "true")], big, 1);
    let ran = run_with(Fake::real(), plan, limited, Cancellation::default()).await;
    assert_eq!(score(&ran), 0.0);
    assert!(ran.result().message.as_ref().unwrap().contains("larger than"), "{:?}", ran.result());
}

#[tokio::test]
async fn snapshot_and_same_score_what_the_agent_left() {
    for verify in [Verify::Snapshot, Verify::Same] {
        let ran = judged(
            checkout(verify, "grep -q three text && [ -f ~/outside ]"),
            doing("echo three >>text; touch ~/outside"),
        )
        .await;
        assert_eq!(score(&ran), 1.0, "{verify:?}: {:?}", ran.result());
    }
}

#[tokio::test]
async fn start_up_files_of_the_agent_do_not_answer_for_the_scorers() {
    let cheat = "for file in .bash_profile .bash_login .profile; do echo 'exit 0' >~/$file; done";
    for verify in [Verify::Snapshot, Verify::Same, Verify::Pristine] {
        assert_eq!(score(&judged(checkout(verify, "false"), doing(cheat)).await), 0.0, "{verify:?}");
    }
    let worse = format!("{cheat}; rm ~/.bash_profile; mkdir ~/.bash_profile");
    let ran = judged(checkout(Verify::Snapshot, "true"), doing(&worse)).await;
    assert_eq!(score(&ran), 0.0);
    assert!(ran.result().message.as_ref().unwrap().contains("start-up file"), "{:?}", ran.result());
}

#[tokio::test]
async fn the_diff_is_recorded_in_other_modes_if_that_is_asked_for() {
    let plan = plan(vec![checkout(Verify::Same, "true")], doing("echo three >>text"), 1);
    let ran =
        run_with(Fake::real(), plan, RunOptions { record_diff: true, ..options() }, Cancellation::default())
            .await;
    // Without `pristine` the tree of the environment is known all the same: it has a setup.
    assert!(ran.sink.files.lock().unwrap()["trials/s/agent/1/attempt-1/diff.patch"].contains("+three"));
}

#[tokio::test]
async fn the_oracle_applies_patches_and_runs_scripts() {
    let patch = "--- a/text\n+++ b/text\n@@ -1,2 +1,3 @@\n one\n two\n+three\n";
    let script = "#!/usr/bin/env bash\nset -e\nfor word in three; do echo \"$word\" >>text; done\n";
    for (kind, content) in [(SolutionKind::Patch, patch), (SolutionKind::Script, script)] {
        let solution = Solution { name: "reference".to_owned(), kind, content: content.to_owned() };
        let mut solved =
            checkout(Verify::Pristine, "grep -q three text && [ -z \"$(git status -s -- solution)\" ]");
        solved.reference_output = Some(solution.clone());
        let ran = judged(solved.clone(), agent(AgentKind::Oracle)).await;
        assert_eq!(score(&ran), 1.0, "{kind:?}: {:?} {:?}", ran.result(), ran.sink.files.lock().unwrap());

        solved.controls = vec![Solution { name: "control".to_owned(), ..solution }];
        assert_eq!(score(&judged(solved, agent(AgentKind::Control("control".to_owned()))).await), 1.0);
    }
}

#[tokio::test]
async fn files_of_the_environment_are_put_in_place() {
    let local = tempfile::tempdir().unwrap();
    std::fs::create_dir(local.path().join("repo")).unwrap();
    std::fs::write(local.path().join("repo/a"), "a").unwrap();
    std::fs::write(local.path().join("setup.sh"), "cp a b").unwrap();
    let mut with_files = set_up(scenario("s", Verify::Snapshot), &["sh ../setup.sh && rm ../setup.sh"]);
    let entry = |name: &str, target: &str| FileEntry::read(&local.path().join(name), target).unwrap();
    with_files.environment.files = vec![entry("repo", "."), entry("setup.sh", "../setup.sh")];
    with_files.scorers = vec![command_scorer("test", "[ -f a ] && [ -f b ] && [ ! -e ~/setup.sh ]")];
    assert_eq!(score(&judged(with_files, doing("true")).await), 1.0);
}

fn test_scorer(path: &str, command: &str) -> eval_builder::Scorer {
    let file = TestFile { file_path: path.to_owned(), file_contents: "the real check\n".to_owned() };
    let function = runloop_types::Scorer::TestBasedScorer {
        test_command: command.to_owned(),
        test_files: Some(vec![file]),
    };
    scorer("test", function)
}

#[tokio::test]
async fn test_files_replace_whatever_the_agent_put_in_their_place() {
    let traps = [
        "ln -s ~/elsewhere hidden",
        "mkdir hidden; ln -s ~/elsewhere/check.txt hidden/check.txt",
        "echo cheat >hidden",
        "mkdir -p hidden/check.txt/deep; chmod 555 hidden/check.txt",
        "mkdir hidden; echo cheat >hidden/check.txt; chmod 444 hidden/check.txt",
    ];
    for trap in traps {
        let mut tested = scenario("s", Verify::Same);
        let check = "[ \"$(cat hidden/check.txt)\" = 'the real check' ] && [ ! -L hidden ] && [ ! -L hidden/check.txt ] \
            && [ \"$(cat ~/elsewhere/check.txt)\" = precious ] && [ -z \"$(ls ~/.runloop-eval | grep write)\" ]";
        tested.scorers = vec![test_scorer("hidden/check.txt", check)];
        let ran = judged(
            tested,
            doing(&format!("mkdir ~/elsewhere; echo precious >~/elsewhere/check.txt; {trap}")),
        )
        .await;
        assert_eq!(score(&ran), 1.0, "{trap}: {:?}", ran.result());
    }
}

#[tokio::test]
async fn code_is_searched_without_following_links() {
    let mut searched = scenario("s", Verify::Same);
    let function = runloop_types::Scorer::AstGrepScorer {
        pattern: "eval($X)".to_owned(),
        search_directory: "src".to_owned(),
        lang: Some("python".to_owned()),
    };
    searched.scorers = vec![scorer("no-eval", function)];
    searched.scorers[0].expect = Expect::Absent;
    let clean = "mkdir -p src/deep ~/out; echo 'print(1)' >src/deep/a.py; echo 'eval(1)' >~/out/b.py; ln -s ~/out src/link";
    assert_eq!(score(&judged(searched.clone(), doing(clean)).await), 1.0);
    let dirty = "mkdir -p 'src/de ep'; echo 'eval(1)' >'src/de ep/a.py'";
    assert_eq!(score(&judged(searched, doing(dirty)).await), 0.0);
}

#[tokio::test]
async fn agents_find_the_task_where_it_is_promised() {
    let mut task = scenario("s", Verify::Same);
    task.additional_context = Some(serde_json::json!({"hint": "look"}));
    task.scorers = vec![command_scorer(
        "test",
        "cmp file variable && grep -q look context && [ $(wc -c <file) -eq 13 ]",
    )];
    let work = "cat \"$PROBLEM_STATEMENT_FILE\" >file; printf %s \"$PROBLEM_STATEMENT\" >variable; echo \"$ADDITIONAL_CONTEXT\" >context";
    assert_eq!(score(&judged(task, doing(work)).await), 1.0);
}

#[tokio::test]
async fn an_agent_beside_the_harness_does_not_run_without_a_supervisor() {
    let directory = tempfile::tempdir().unwrap();
    let access = HostAccess {
        base_url: "http://127.0.0.1:1".to_owned(),
        api_key: "ak_very_secret".to_owned(),
        directory: directory.path().to_owned(),
        environment: [("PATH".to_owned(), "/usr/local/bin:/usr/bin:/bin".to_owned())].into(),
    };
    let options = RunOptions { host: Some(access), ..options() };
    let mut task = scenario("s", Verify::Same);
    task.scorers = vec![command_scorer("test", "true")];
    let beside = agent(AgentKind::HostCommand("touch ran".to_owned()));
    // The main function of this test does not call `init`.
    let ran = run_with(Fake::real(), plan(vec![task], beside, 1), options, Cancellation::default()).await;

    assert_eq!(ran.result().cause, Some(Cause::HarnessError));
    assert!(ran.result().message.as_ref().is_some_and(|message| message.contains("eval_runner::init()")));
    assert!(!directory.path().join("ran").exists());
}
