//! Every key of every file: its shape and what it is for.

use crate::shape::{Field, NameRule, Object, Shape, nullable, optional, required};

use Shape::{
    Anything, Boolean, Choice, Duration, Either, FullList, Integer, List, Map, Name, Number, Object as Keys,
    Positive, Scalar, Tagged, Text, VariableMap,
};

/// Agents that need no file.
pub(crate) const BUILT_IN_AGENTS: &[&str] = &["oracle", "nop"];

/// Types of scorer parameters.
pub(crate) const PARAMETER_TYPES: &[&str] = &["string", "number", "integer", "boolean", "array", "object"];

const COUNT: Shape = Integer { min: 0, max: u32::MAX as i64 };
const SHARE: Shape = Number { min: 0.0, max: 1.0 };
const DOLLARS: Shape = Number { min: 0.0, max: 1e12 };
const TEXTS: Shape = List(&Text);

/// A benchmark file.
pub(crate) static BENCHMARK: Object = Object {
    name: "Benchmark",
    noun: "a benchmark",
    about: "Scenarios that are run and reported together.",
    fields: &[&[
        required("name", Name(NameRule::File), "Its name, used in file names and reports."),
        optional("description", Text, "What it measures, for people."),
        required(
            "scenarios",
            FullList(&Either(&[Text, Keys(&SCENARIO)])),
            "Scenario files, as paths or globs relative to this file, or scenarios written here.",
        ),
        optional(
            "defaults",
            Keys(&DEFAULTS),
            "Taken by every scenario that does not say otherwise. `environment` and `metadata` are merged key by key; everything else is replaced.",
        ),
        optional("agents", AGENTS, "The agents to run when the command line names none."),
        optional(
            "trials",
            Either(&[COUNTED_TRIALS, Choice(&["auto"]), Keys(&ADAPTIVE)]),
            "Repetitions of each scenario and agent: default 1. `auto`, or a mapping, repeats until enough is known.",
        ),
        optional("budget", Keys(&BUDGET), "What a run may take; what is left when it is gone is canceled."),
        optional("gate", Keys(&GATE), "What a run must reach."),
    ]],
    one_of: &[],
};

const COUNTED_TRIALS: Shape = Integer { min: 1, max: 10_000 };

static ADAPTIVE: Object = Object {
    name: "AdaptiveTrials",
    noun: "adaptive trials",
    about: "All scenarios of an agent are repeated in rounds until the gate is decided, or without a gate the mean score is known well enough.",
    fields: &[&[
        optional("min", COUNTED_TRIALS, "Repetitions of the first round: default 3."),
        optional("max", COUNTED_TRIALS, "Most repetitions: default 20."),
        optional(
            "half_width",
            Number { min: 0.001, max: 0.5 },
            "Without a gate: repeat until the mean score of these scenarios is known to within this: default 0.05.",
        ),
    ]],
    one_of: &[],
};

static BUDGET: Object = Object {
    name: "Budget",
    noun: "a budget",
    about: "What a run may take. A trial starts only if what it is expected to take is left.",
    fields: &[&[
        optional(
            "max_devbox_minutes",
            Positive,
            "Minutes that all devboxes of the run may exist, added up: those of agents, of scoring and of preparations.",
        ),
        optional(
            "max_cost",
            DOLLARS,
            "US dollars that the agents may cost, as they say or as their tokens cost by their `prices`.",
        ),
        optional("timeout", Duration, "Time for the whole run."),
    ]],
    one_of: &[],
};

static GATE: Object = Object {
    name: "Gate",
    noun: "a gate",
    about: "What each agent of a run must reach.",
    fields: &[&[
        optional("min_score", SHARE, "Lowest mean score."),
        optional("min_pass_rate", SHARE, "Lowest share of passed trials."),
        optional("floors", Map(&SHARE), "Lowest mean score of single scenarios, by their names."),
        optional("max_invalid", COUNT, "Most trials without a score: default 0."),
        optional("max_flagged", COUNT, "Most trials with signs of contamination: default any number."),
        optional(
            "max_regression",
            SHARE,
            "Largest drop of the mean score against the baseline that passes in any case. A larger one fails if it is more than chance.",
        ),
        optional(
            "baseline",
            Text,
            "The baseline file, relative to this file, as `baseline save` writes it. Needs `max_regression`.",
        ),
        optional("max_cost", DOLLARS, "Most US dollars that the trials may say they used."),
    ]],
    one_of: &[],
};

const AGENTS: Shape = FullList(&Either(&[Text, Keys(&AGENT)]));

/// A scenario file, or a scenario written in a benchmark.
pub(crate) static SCENARIO: Object = Object {
    name: "Scenario",
    noun: "a scenario",
    about: "One task with its environment and its scorers.",
    fields: &[
        &[
            required(
                "name",
                Name(NameRule::File),
                "Unique within a benchmark. With a matrix, the values are appended: `fix[size=small]`.",
            ),
            optional("description", Text, "For people; changes nothing."),
        ],
        SHARED,
    ],
    one_of: &[],
};

/// What every scenario of a benchmark may take over.
pub(crate) static DEFAULTS: Object = Object {
    name: "Defaults",
    noun: "the defaults",
    about: "What a scenario takes over unless it says otherwise.",
    fields: &[SHARED],
    one_of: &[],
};

static SHARED: &[Field] = &[
    optional("problem_statement", Text, "What the agent is told. A template."),
    optional(
        "additional_context",
        Anything,
        "Anything else for the agent. Data: passed on as it is, never rendered.",
    ),
    optional("environment", Keys(&ENVIRONMENT), "What the agent works in."),
    optional(
        "scorers",
        FullList(&Keys(&SCORER)),
        "How the outcome is scored. Weights are divided by their sum.",
    ),
    nullable(
        "reference_output",
        Text,
        "The gold solution: a patch or script file next to this one, or its text. A text that starts with `#!` is a script, one that starts with `diff --git` or `--- ` is a patch.",
    ),
    optional(
        "controls",
        List(&Either(&[Text, Keys(&CONTROL)])),
        "Solutions that must not pass, beside those in the directory `controls` next to the scenario file.",
    ),
    optional("requires", List(&Name(NameRule::Program)), "Programs that the devbox must have."),
    optional(
        "required_environment_variables",
        List(&Name(NameRule::Variable)),
        "Variables of the harness that must be set; they are passed on to the devbox, and are `env.NAME` in templates.",
    ),
    optional("required_secret_names", TEXTS, "Secrets that must exist on the target."),
    optional("agent_timeout", Duration, "Time for the agent: default 30m."),
    optional(
        "scorer_timeout",
        Duration,
        "Time for each scorer, after which the trial is invalid: default 30m. A scorer's own `timeout` scores 0 instead.",
    ),
    optional("prepare_timeout", Duration, "Time for the preparation of the environment: default 10m."),
    optional(
        "trial_timeout",
        Duration,
        "Time for a whole trial with all its attempts, after which it is invalid: default none. Must be above the times of the agent and of all scorers together.",
    ),
    optional(
        "verify",
        Choice(&["snapshot", "pristine", "same"]),
        "Where scoring happens: in a fork of the agent's devbox (snapshot, the default), in the prepared environment made afresh with the artifacts carried over (pristine), or in the agent's devbox (same).",
    ),
    optional(
        "artifacts",
        TEXTS,
        "Paths that `pristine` carries over, relative to the working directory: default all of it.",
    ),
    optional("pass_mark", SHARE, "The score from which a trial counts as passed: default 1."),
    optional(
        "matrix",
        VariableMap(&FullList(&Anything)),
        "One scenario for each combination of these values, which are `matrix.KEY` in templates. A value is a text, a number, a boolean, or a mapping with a `name`.",
    ),
    optional("metadata", Map(&Scalar), "Labels for grouping. Values are templates."),
];

static CONTROL: Object = Object {
    name: "Control",
    noun: "a control",
    about: "A solution that must not pass.",
    fields: &[&[
        required("name", Name(NameRule::File), "Unique within the scenario."),
        required("output", Text, "A patch or script, written as `reference_output` is."),
    ]],
    one_of: &[],
};

static ENVIRONMENT: Object = Object {
    name: "Environment",
    noun: "an environment",
    about: "What an agent works in.",
    fields: &[&[
        nullable(
            "blueprint",
            Either(&[Text, Keys(&BLUEPRINT)]),
            "What it starts from: the name of a blueprint, or {id: bpt_...}, or what to build.",
        ),
        nullable("snapshot", Text, "The id of a disk snapshot that it starts from."),
        optional(
            "working_directory",
            Text,
            "Where agent and scorers start: relative to the home directory, or absolute. Default: the home directory.",
        ),
        optional(
            "files",
            List(&Either(&[Text, Keys(&FILE)])),
            "Local files and directories that are put in place. `__pycache__` and `*.pyc` are left out.",
        ),
        optional("mounts", List(&Tagged(MOUNTS)), "Mounts of the API, passed on as they are."),
        optional("setup_commands", TEXTS, "Bash commands, run once and in order in the working directory."),
        optional("environment_variables", VariableMap(&Scalar), "Environment of every command."),
        optional("secrets", VariableMap(&Text), "Environment variable to the name of a secret."),
        optional("launch_parameters", Keys(&LAUNCH), "Launch parameters of every devbox."),
        optional("network", NETWORK, "What of the network the devbox may see: default all."),
    ]],
    one_of: &[],
};

const NETWORK: Shape = Either(&[Choice(&["all", "none"]), Keys(&ALLOWED_HOSTNAMES)]);

static ALLOWED_HOSTNAMES: Object = Object {
    name: "AllowedHostnames",
    noun: "a network",
    about: "Only these hosts can be reached.",
    fields: &[&[required(
        "allowed_hostnames",
        FullList(&Text),
        "Host names; `*.example.com` for all below one.",
    )]],
    one_of: &[],
};

static FILE: Object = Object {
    name: "File",
    noun: "a file",
    about: "A local file or directory and where it goes.",
    fields: &[&[
        required("source", Text, "A file or directory, relative to this file."),
        required(
            "target",
            Text,
            "Where it goes: relative to the working directory, or ~/..., or absolute. The content of a directory goes into the target; a file is written to it, or into it if it ends in `/` or is `.`.",
        ),
    ]],
    one_of: &[],
};

/// A blueprint: the one with an id, or one that is built.
pub(crate) static BLUEPRINT: Object = Object {
    name: "Blueprint",
    noun: "a blueprint",
    about: "An image that devboxes are made from: either `id`, or what to build.",
    fields: &[&[
        optional("id", Text, "An existing blueprint. Excludes all other keys."),
        optional("name", Name(NameRule::File), "Its name: default made from its content."),
        optional("dockerfile", Text, "A Dockerfile: its path or its text."),
        optional(
            "build_context",
            Either(&[Text, Keys(&BUILD_CONTEXT)]),
            "What COPY reads from: a local directory, or {object_id: obj_...}.",
        ),
        optional("build_args", Map(&Scalar), "Values of ARG."),
        optional("system_setup_commands", TEXTS, "Commands that are run in order."),
        optional("base_blueprint_id", Text, "Build on top of this blueprint."),
        optional("base_blueprint_name", Text, "Build on top of the newest successful build of this name."),
        optional("code_mounts", List(&Keys(&CODE_MOUNT)), "Repositories to clone."),
        optional("file_mounts", Map(&Text), "Path to content."),
        optional("launch_parameters", Keys(&LAUNCH), "Defaults for devboxes made from it."),
        optional("metadata", Map(&Scalar), "Labels."),
        optional("network_policy_id", Text, "Network policy of the build."),
        optional("secrets", Map(&Text), "Build-time variable to the name of a secret."),
        optional("services", List(&Keys(&SERVICE)), "Containers that run beside a devbox."),
    ]],
    one_of: &[],
};

static BUILD_CONTEXT: Object = Object {
    name: "BuildContext",
    noun: "a build context",
    about: "A stored archive.",
    fields: &[&[
        optional("type", Choice(&["object"]), "Always object."),
        required("object_id", Text, "The archive."),
    ]],
    one_of: &[],
};

static SERVICE: Object = Object {
    name: "Service",
    noun: "a service",
    about: "A container that runs beside a devbox.",
    fields: &[&[
        required("name", Text, "Its name."),
        required("image", Text, "Its image."),
        optional("env", Map(&Scalar), "Its environment."),
        optional("port_mappings", TEXTS, "host:container"),
        optional("options", Text, "Further options of the container."),
        optional("credentials", Keys(&CREDENTIALS), "For the registry of the image."),
    ]],
    one_of: &[],
};

static CREDENTIALS: Object = Object {
    name: "Credentials",
    noun: "credentials",
    about: "For the registry of an image.",
    fields: &[&[required("username", Text, "User."), required("password", Text, "Password.")]],
    one_of: &[],
};

static CODE_MOUNT: Object = Object {
    name: "CodeMount",
    noun: "a code mount",
    about: "A repository, cloned below the home directory.",
    fields: &[CODE_MOUNT_FIELDS],
    one_of: &[],
};

static CODE_MOUNT_FIELDS: &[Field] = &[
    required("repo_owner", Text, "Owner on the code host."),
    required("repo_name", Text, "Name of the repository."),
    optional("token", Text, "Access token."),
    optional("git_ref", Text, "Branch or tag."),
    optional("install_command", Text, "Command that is run in the clone."),
];

/// Mounts by `type`.
static MOUNTS: &[(&str, &Object)] = &[
    ("object_mount", &OBJECT_MOUNT),
    ("file_mount", &FILE_MOUNT),
    ("code_mount", &CODE_MOUNT),
    ("broker_mount", &BROKER_MOUNT),
    ("agent_mount", &AGENT_MOUNT),
];

static OBJECT_MOUNT: Object = Object {
    name: "ObjectMount",
    noun: "an object mount",
    about: "A stored object; archives are unpacked.",
    fields: &[&[required("object_id", Text, "The object."), required("object_path", Text, "Where it goes.")]],
    one_of: &[],
};

static FILE_MOUNT: Object = Object {
    name: "FileMount",
    noun: "a file mount",
    about: "A file with this content.",
    fields: &[&[required("target", Text, "Where it goes."), required("content", Text, "Its text.")]],
    one_of: &[],
};

static BROKER_MOUNT: Object = Object {
    name: "BrokerMount",
    noun: "a broker mount",
    about: "Ties an agent process to an axon.",
    fields: &[&[
        required("axon_id", Text, "The axon."),
        optional(
            "protocol",
            Choice(&["acp", "claude_json", "codex_json", "pi_json"]),
            "What the agent speaks.",
        ),
        optional("agent_binary", Text, "The agent."),
        optional("launch_args", TEXTS, "Its arguments."),
        optional("working_directory", Text, "Where it starts."),
    ]],
    one_of: &[],
};

static AGENT_MOUNT: Object = Object {
    name: "AgentMount",
    noun: "an agent mount",
    about: "Installs a registered agent.",
    fields: &[&[
        optional("agent_id", Text, "The agent."),
        optional("agent_name", Text, "The newest agent of this name."),
        optional("agent_path", Text, "Where it goes."),
        optional("auth_token", Text, "For its repository."),
    ]],
    one_of: &["agent_id", "agent_name"],
};

static LAUNCH: Object = Object {
    name: "LaunchParameters",
    noun: "launch parameters",
    about: "How a devbox is launched.",
    fields: &[&[
        optional(
            "resource_size_request",
            Choice(&["X_SMALL", "SMALL", "MEDIUM", "LARGE", "X_LARGE", "XX_LARGE", "CUSTOM_SIZE"]),
            "Size by name.",
        ),
        optional(
            "custom_cpu_cores",
            Number { min: 0.5, max: 16.0 },
            "Cores, for CUSTOM_SIZE: 0.5, 1 or an even number.",
        ),
        optional(
            "custom_gb_memory",
            Integer { min: 1, max: 64 },
            "Memory in GiB, for CUSTOM_SIZE: 1 or an even number.",
        ),
        optional(
            "custom_disk_size",
            Integer { min: 2, max: 64 },
            "Disk in GiB, for CUSTOM_SIZE: an even number.",
        ),
        optional("architecture", Choice(&["x86_64", "arm64"]), "Processor."),
        optional(
            "keep_alive_time_seconds",
            Integer { min: 1, max: 172_800 },
            "Seconds until the devbox is shut down unless kept alive.",
        ),
        optional("launch_commands", TEXTS, "Commands that are run at each boot and resume."),
        optional("user_parameters", Keys(&USER), "The user that runs commands."),
        optional("network_policy_id", Text, "Network policy."),
        optional("required_services", TEXTS, "Names of blueprint services to start."),
        optional("provisioning_tier", Choice(&["standard", "flex"]), "How soon it starts."),
        optional("available_ports", List(&Integer { min: 1, max: 65_535 }), "Deprecated and ignored."),
        optional("after_idle", Keys(&AFTER_IDLE), "What to do when idle."),
        optional("lifecycle", Map(&Anything), "Idle behaviour, wake-up and hooks."),
    ]],
    one_of: &[],
};

static USER: Object = Object {
    name: "UserParameters",
    noun: "user parameters",
    about: "The user that runs commands in a devbox.",
    fields: &[&[required("username", Text, "Login name."), required("uid", COUNT, "Numeric id.")]],
    one_of: &[],
};

static AFTER_IDLE: Object = Object {
    name: "AfterIdle",
    noun: "idle behaviour",
    about: "What happens to an idle devbox.",
    fields: &[&[
        required("idle_time_seconds", Integer { min: 1, max: i64::MAX }, "Idle time."),
        required("on_idle", Choice(&["shutdown", "suspend"]), "What happens."),
    ]],
    one_of: &[],
};

/// Keys that say what kind a scorer is; a scorer has exactly one of them.
pub(crate) const SCORER_KINDS: &[&str] =
    &["test_command", "shell_command", "bash_script", "python_script", "ast_grep", "custom", "use"];

static SCORER: Object = Object {
    name: "Scorer",
    noun: "a scorer",
    about: "One scoring function, of exactly one kind.",
    fields: &[&[
        required("name", Name(NameRule::Function), "Unique within the scenario."),
        optional("weight", Positive, "Its share of the score, relative to the others: default 1."),
        optional(
            "timeout",
            Duration,
            "A check that takes longer has failed: it scores 0. For checks that run code of the agent, which may never end. Must be below `scorer_timeout`. Default: none.",
        ),
        optional(
            "test_command",
            Text,
            "Kind: the test files are written, then this command is run; exit status 0 scores 1.",
        ),
        optional(
            "test_files",
            List(&Either(&[Text, Keys(&TEST_FILE)])),
            "With test_command: local files and directories that are written before it. A directory keeps its name.",
        ),
        optional(
            "pass_rate",
            Either(&[Choice(&["tap"]), Keys(&JUNIT)]),
            "With test_command: score by the share of passed tests, from TAP on standard output or from a JUnit file.",
        ),
        optional("shell_command", Text, "Kind: exit status 0 scores 1."),
        optional(
            "bash_script",
            Text,
            "Kind: a bash script, its path or its text, whose last line is score=<0..1>.",
        ),
        optional(
            "python_script",
            Text,
            "Kind: a Python script, its path or its text, whose last number on standard output is the score.",
        ),
        optional("python_version_constraint", Text, "With python_script: the version it needs."),
        optional("requirements", Text, "With python_script: a requirements file, its path or its text."),
        optional(
            "ast_grep",
            Keys(&AST_GREP),
            "Kind: whether a pattern is found in the syntax trees of a directory.",
        ),
        optional("custom", Keys(&CUSTOM), "Kind: a scorer that is registered on the target."),
        optional("use", Text, "Kind: a scorer file."),
        optional(
            "with",
            Map(&Anything),
            "With use: its parameters. Texts are templates; a text that is one {{ expression }} keeps the type of its value.",
        ),
    ]],
    one_of: SCORER_KINDS,
};

static TEST_FILE: Object = Object {
    name: "TestFile",
    noun: "a test file",
    about: "A local file or directory and where it is written.",
    fields: &[&[
        required("source", Text, "A UTF-8 file, or a directory of such, relative to this file."),
        required(
            "target",
            Text,
            "Where it goes, relative to the working directory. The content of a directory goes into the target.",
        ),
    ]],
    one_of: &[],
};

static JUNIT: Object = Object {
    name: "JunitFile",
    noun: "a pass rate",
    about: "Where a JUnit file is written.",
    fields: &[&[required("junit", Text, "A JUnit XML file, relative to the working directory.")]],
    one_of: &[],
};

static AST_GREP: Object = Object {
    name: "AstGrep",
    noun: "an ast_grep scorer",
    about: "A search in syntax trees.",
    fields: &[&[
        required("pattern", Text, "An ast-grep pattern."),
        optional(
            "search_directory",
            Text,
            "Directory that is searched, relative to the working directory: default all of it.",
        ),
        optional(
            "lang",
            Text,
            "Language, such as bash, c, css, go, html, java, javascript, json, python, rust, tsx, typescript or yaml: default by file name.",
        ),
        optional(
            "expect",
            Choice(&["present", "absent"]),
            "Whether a match scores 1 (present, the default) or 0 (absent).",
        ),
    ]],
    one_of: &[],
};

static CUSTOM: Object = Object {
    name: "Custom",
    noun: "a custom scorer",
    about: "A scorer that is registered on the target.",
    fields: &[&[
        required("type", Text, "Its type."),
        optional(
            "params",
            Anything,
            "Its parameters, as JSON in RL_SCORER_CONTEXT. Texts are templates; a text that is one {{ expression }} keeps the type of its value.",
        ),
    ]],
    one_of: &[],
};

/// A scorer file, named by `use`.
pub(crate) static SCORER_FILE: Object = Object {
    name: "ScorerFile",
    noun: "a scorer file",
    about: "A scorer that scenarios share: a script and its parameters.",
    fields: &[&[
        required("name", Name(NameRule::Function), "Its name, and its type when it is registered."),
        optional("description", Text, "What it measures, for people."),
        optional(
            "parameters",
            Map(&Keys(&PARAMETER)),
            "What `with` may say. The script gets them as a JSON object in RL_SCORER_CONTEXT.",
        ),
        optional(
            "bash_script",
            Text,
            "A bash script, its path or its text, whose last line is score=<0..1>.",
        ),
        optional(
            "python_script",
            Text,
            "A Python script, its path or its text, whose last number on standard output is the score.",
        ),
    ]],
    one_of: &["bash_script", "python_script"],
};

static PARAMETER: Object = Object {
    name: "Parameter",
    noun: "a parameter",
    about: "A parameter of a scorer.",
    fields: &[&[
        required("type", Choice(PARAMETER_TYPES), "What it may be."),
        optional("description", Text, "What it does, for people."),
        nullable("default", Anything, "Its value when `with` does not give it."),
        optional("required", Boolean, "Whether `with` must give it: default false."),
    ]],
    one_of: &[],
};

/// An agent file, or an agent written in a benchmark.
pub(crate) static AGENT: Object = Object {
    name: "Agent",
    noun: "an agent",
    about: "Who does the work.",
    fields: &[&[
        required("name", Name(NameRule::File), "Its name in tables and paths."),
        optional("description", Text, "For people; changes nothing."),
        optional("version", Scalar, "Its version, for the record."),
        optional(
            "source",
            Keys(&AGENT_SOURCE),
            "Where it comes from; it is installed from there before `install` is run. Programs of packages are in ~/.agent/bin, a repository or an archive is in ~/.agent.",
        ),
        optional(
            "install",
            TEXTS,
            "Bash commands that install it in the devbox; the result is kept and shared.",
        ),
        optional("command", Text, "A bash command in the devbox, in the working directory. A template."),
        optional(
            "host_command",
            Text,
            "A shell command beside the harness that drives the devbox through the API. A template.",
        ),
        optional("environment_variables", VariableMap(&Scalar), "Its environment, on top of the scenario's."),
        optional("secrets", VariableMap(&Text), "Environment variable to the name of a secret."),
        optional("timeout", Duration, "Overrides the agent timeout of the scenario."),
        optional(
            "usage",
            Keys(&USAGE),
            "Where it says what it used. What is not there is absent from the results and never an error.",
        ),
        optional(
            "prices",
            Keys(&PRICES),
            "What its tokens cost, where it does not say a cost. Needs the pointers of `usage` to each kind that has a price.",
        ),
        optional(
            "max_cost",
            DOLLARS,
            "Most US dollars that one attempt at a trial may cost, as the agent itself sees to: what a budget keeps for it while it is not known what it takes.",
        ),
    ]],
    one_of: &["command", "host_command"],
};

static USAGE: Object = Object {
    name: "Usage",
    noun: "a usage file",
    about: "A JSON file, or one of JSON lines, that the agent leaves in its devbox. Of lines the last one counts that has the value.",
    fields: &[&[
        required("file", Text, "The file: relative to the working directory, or ~/..., or absolute."),
        optional(
            "input_tokens",
            Text,
            "JSON pointer to the tokens that its model read: /usage/input_tokens.",
        ),
        optional(
            "cached_input_tokens",
            Text,
            "JSON pointer to the tokens that its model read from a cache, where `input_tokens` does not count them.",
        ),
        optional("output_tokens", Text, "JSON pointer to the tokens that its model wrote."),
        optional("cost_usd", Text, "JSON pointer to the cost in US dollars."),
    ]],
    one_of: &[],
};

static PRICES: Object = Object {
    name: "Prices",
    noun: "prices",
    about: "US dollars for a million tokens of each kind.",
    fields: &[&[
        optional("input_per_million", DOLLARS, "Of `usage.input_tokens`."),
        optional("cached_input_per_million", DOLLARS, "Of `usage.cached_input_tokens`."),
        optional("output_per_million", DOLLARS, "Of `usage.output_tokens`."),
    ]],
    one_of: &[],
};

/// Kinds of agent sources, which are also their types.
pub(crate) const SOURCE_KINDS: &[&str] = &["npm", "pip", "git", "object"];

static AGENT_SOURCE: Object = Object {
    name: "AgentSource",
    noun: "an agent source",
    about: "Where an agent comes from, as the API has it.",
    fields: &[&[
        optional("type", Choice(SOURCE_KINDS), "The key beside it, which alone says it too."),
        optional("npm", Keys(&PACKAGE), "A package of npm."),
        optional("pip", Keys(&PACKAGE), "A package of PyPI, installed in a virtual environment."),
        optional("git", Keys(&GIT), "A repository."),
        optional("object", Keys(&OBJECT), "A stored archive."),
    ]],
    one_of: SOURCE_KINDS,
};

const AGENT_SETUP: Field = optional("agent_setup", TEXTS, "Bash commands after that, in ~/.agent.");

static PACKAGE: Object = Object {
    name: "Package",
    noun: "a package",
    about: "A package of a registry.",
    fields: &[&[
        required(
            "package_name",
            Text,
            "Its name, with a version if wanted: name@1.2 of npm, name==1.2 of PyPI.",
        ),
        optional("registry_url", Text, "The registry, if it is not the usual one."),
        AGENT_SETUP,
    ]],
    one_of: &[],
};

static GIT: Object = Object {
    name: "GitSource",
    noun: "a git source",
    about: "A repository, cloned into ~/.agent.",
    fields: &[&[
        required("repository", Text, "Its URL."),
        optional("ref", Text, "Branch or tag."),
        AGENT_SETUP,
    ]],
    one_of: &[],
};

static OBJECT: Object = Object {
    name: "ObjectSource",
    noun: "an object source",
    about: "A stored archive, unpacked into ~/.agent.",
    fields: &[&[required("object_id", Text, "The object."), AGENT_SETUP]],
    one_of: &[],
};
