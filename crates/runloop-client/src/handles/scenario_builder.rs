//! A scenario, put together step by step.

use std::time::Duration;

use runloop_types::{
    BlueprintId, InputContext, LaunchParameters, Metadata, ScenarioCreateParams, ScenarioEnvironment,
    ScenarioValidationType, Scorer, ScoringContract, ScoringFunction, SnapshotId, TestFile,
};
use serde::Serialize;
use serde_json::Value;

use crate::client::Client;
use crate::error::Error;
use crate::handles::{Blueprint, Scenario, Snapshot};
use crate::resources::refuse;

/// Puts a scenario together: what the agent is told, what it works in, and how the outcome is scored. Weights may be any
/// positive numbers: they are divided by their sum. SDK 1 only.
///
/// Made by [`Client::scenario_builder`]; nothing is sent before [`ScenarioBuilder::push`].
///
/// ```no_run
/// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
/// use runloop_client::types::TestFile;
///
/// let test = TestFile { file_path: "tests/test_new.py".into(), file_contents: "...".into() };
/// let scenario = client
///     .scenario_builder("fix-the-parser")
///     .from_blueprint(&client.blueprint("bpt_1"))
///     .with_working_directory("/home/user/project")
///     .with_problem_statement("The parser drops the last line of a file. Fix it.")
///     .add_test_command_scorer("tests", "python -m pytest tests", [test], 3.0)?
///     .add_ast_grep_scorer("no-eval", "eval($X)", ".", Some("python"), 1.0)?
///     .push()
///     .await?;
/// println!("{}", scenario.id());
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a builder sends nothing until it is pushed"]
pub struct ScenarioBuilder {
    client: Client,
    name: String,
    origin: Option<Origin>,
    working_directory: Option<String>,
    launch_parameters: Option<LaunchParameters>,
    problem_statement: String,
    additional_context: Option<Value>,
    scorers: Vec<ScoringFunction>,
    metadata: Metadata,
    reference_output: Option<String>,
    required_environment_variables: Option<Vec<String>>,
    required_secret_names: Option<Vec<String>>,
    scorer_timeout_sec: Option<u32>,
    validation_type: Option<ScenarioValidationType>,
}

/// What the devbox starts from: one thing.
#[derive(Debug, Clone)]
enum Origin {
    Blueprint(BlueprintId),
    Snapshot(SnapshotId),
}

/// What a [`ScenarioBuilder`] holds so far, complete or not; the shape is that of the scenario it would become.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ScenarioPreview {
    /// Its name.
    pub name: String,
    /// What the agent is told.
    pub input_context: InputContext,
    /// How the outcome is scored; the weights sum to 1.
    pub scoring_contract: ScoringContract,
    /// What the agent works in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<ScenarioEnvironment>,
    /// Labels.
    pub metadata: Metadata,
    /// The reference solution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference_output: Option<String>,
    /// Environment variables a run must provide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required_environment_variables: Option<Vec<String>>,
    /// Secrets a run must provide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required_secret_names: Option<Vec<String>>,
    /// Seconds that each scorer may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scorer_timeout_sec: Option<u32>,
    /// How the scenario is checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation_type: Option<ScenarioValidationType>,
}

impl Client {
    /// Begins a scenario of this name; sends nothing. See [`ScenarioBuilder`].
    pub fn scenario_builder(&self, name: impl Into<String>) -> ScenarioBuilder {
        ScenarioBuilder {
            client: self.clone(),
            name: name.into(),
            origin: None,
            working_directory: None,
            launch_parameters: None,
            problem_statement: String::new(),
            additional_context: None,
            scorers: Vec::new(),
            metadata: Metadata::new(),
            reference_output: None,
            required_environment_variables: None,
            required_secret_names: None,
            scorer_timeout_sec: None,
            validation_type: None,
        }
    }
}

/// What the agent works in and is told.
impl ScenarioBuilder {
    /// The name of the scenario.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The devbox starts from this blueprint, and from no snapshot.
    pub fn from_blueprint(mut self, blueprint: &Blueprint) -> Self {
        self.origin = Some(Origin::Blueprint(blueprint.id().clone()));
        self
    }

    /// The devbox starts from this snapshot, and from no blueprint.
    pub fn from_snapshot(mut self, snapshot: &Snapshot) -> Self {
        self.origin = Some(Origin::Snapshot(snapshot.id().clone()));
        self
    }

    /// Where agent and scorers start.
    pub fn with_working_directory(mut self, directory: impl Into<String>) -> Self {
        self.working_directory = Some(directory.into()).filter(|directory| !directory.is_empty());
        self
    }

    /// Size and lifetime of the devbox.
    pub fn with_launch_parameters(mut self, parameters: LaunchParameters) -> Self {
        self.launch_parameters = Some(parameters);
        self
    }

    /// The task, as the agent is told.
    pub fn with_problem_statement(mut self, statement: impl Into<String>) -> Self {
        self.problem_statement = statement.into();
        self
    }

    /// Anything else the agent is told, as JSON.
    pub fn with_additional_context(mut self, context: impl Into<Value>) -> Self {
        self.additional_context = Some(context.into());
        self
    }

    /// Labels, in place of all labels so far.
    pub fn with_metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = metadata;
        self
    }

    /// The reference solution, such as a diff: with it, the score should be 1.
    pub fn with_reference_output(mut self, output: impl Into<String>) -> Self {
        self.reference_output = Some(output.into());
        self
    }

    /// Environment variables a run must provide.
    #[doc(alias = "with_required_env_vars")]
    pub fn with_required_environment_variables<S: Into<String>>(
        mut self,
        names: impl IntoIterator<Item = S>,
    ) -> Self {
        self.required_environment_variables = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Secrets a run must provide.
    #[doc(alias = "with_required_secrets")]
    pub fn with_required_secret_names<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.required_secret_names = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// How the reference solution is used to check the scenario.
    pub fn with_validation_type(mut self, kind: ScenarioValidationType) -> Self {
        self.validation_type = Some(kind);
        self
    }

    /// How long each scorer may take, in whole seconds; half an hour unless set.
    pub fn with_scorer_timeout(mut self, timeout: Duration) -> Self {
        self.scorer_timeout_sec = Some(u32::try_from(timeout.as_secs()).unwrap_or(u32::MAX));
        self
    }
}

/// How the outcome is scored. All of these refuse at once a weight that is not a positive number, and a name that is not
/// made of letters, digits, `-` and `_`.
impl ScenarioBuilder {
    /// Files are written, then a command is run: 1 if it exits with 0.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`]; see above.
    pub fn add_test_command_scorer(
        self,
        name: &str,
        test_command: impl Into<String>,
        test_files: impl IntoIterator<Item = TestFile>,
        weight: f64,
    ) -> Result<Self, Error> {
        let files: Vec<_> = test_files.into_iter().collect();
        let test_files = Some(files).filter(|files| !files.is_empty());
        self.add_scorer(
            name,
            Scorer::TestBasedScorer { test_command: test_command.into(), test_files },
            weight,
        )
    }

    /// 1 if the command exits with 0, else 0.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`]; see above.
    pub fn add_shell_command_scorer(
        self,
        name: &str,
        command: impl Into<String>,
        weight: f64,
    ) -> Result<Self, Error> {
        self.add_scorer(name, Scorer::CommandScorer { command: command.into() }, weight)
    }

    /// A bash script that prints `score=` and a number from 0 to 1.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`]; see above.
    pub fn add_bash_script_scorer(
        self,
        name: &str,
        bash_script: impl Into<String>,
        weight: f64,
    ) -> Result<Self, Error> {
        self.add_scorer(name, Scorer::BashScriptScorer { bash_script: bash_script.into() }, weight)
    }

    /// A Python script that prints a number from 0 to 1. For a version it needs, or packages, see
    /// [`ScenarioBuilder::add_scorer`].
    ///
    /// # Errors
    /// [`Error::InvalidRequest`]; see above.
    pub fn add_python_script_scorer(
        self,
        name: &str,
        python_script: impl Into<String>,
        weight: f64,
    ) -> Result<Self, Error> {
        let scorer = Scorer::PythonScriptScorer {
            python_script: python_script.into(),
            python_version_constraint: None,
            requirements_contents: None,
        };
        self.add_scorer(name, scorer, weight)
    }

    /// 1 if the pattern of ast-grep matches in any file below the directory, of the language if one is given. `.` is the
    /// working directory.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`]; see above.
    pub fn add_ast_grep_scorer(
        self,
        name: &str,
        pattern: impl Into<String>,
        search_directory: impl Into<String>,
        lang: Option<&str>,
        weight: f64,
    ) -> Result<Self, Error> {
        let scorer = Scorer::AstGrepScorer {
            pattern: pattern.into(),
            search_directory: search_directory.into(),
            lang: lang.map(str::to_owned),
        };
        self.add_scorer(name, scorer, weight)
    }

    /// A registered scorer by its type, see [`CustomScorer`](crate::CustomScorer), and what it finds in
    /// `RL_SCORER_CONTEXT`.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`]; see above.
    pub fn add_custom_scorer(
        self,
        name: &str,
        custom_scorer_type: impl Into<String>,
        scorer_params: Option<Value>,
        weight: f64,
    ) -> Result<Self, Error> {
        let scorer = Scorer::CustomScorer { custom_scorer_type: custom_scorer_type.into(), scorer_params };
        self.add_scorer(name, scorer, weight)
    }

    /// Any scorer, with all that can be said of it.
    ///
    /// ```
    /// # use runloop_client::{Client, Error};
    /// # fn example(client: Client) -> Result<(), Error> {
    /// use runloop_client::types::Scorer;
    ///
    /// let scorer = Scorer::PythonScriptScorer {
    ///     python_script: "import numpy\nprint(numpy.mean([0.5, 1]))".into(),
    ///     python_version_constraint: Some(">=3.11".into()),
    ///     requirements_contents: Some("numpy".into()),
    /// };
    /// let builder = client.scenario_builder("mean").add_scorer("mean", scorer, 1.0)?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidRequest`]; see above.
    pub fn add_scorer(mut self, name: &str, scorer: Scorer, weight: f64) -> Result<Self, Error> {
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        {
            return Err(refuse(format!("scorer `{name}`: a name is made of letters, digits, `-` and `_`")));
        }
        // Also of all together: they are divided by their sum.
        if !(weight > 0.0 && (self.sum_of_weights() + weight).is_finite()) {
            return Err(refuse(format!("scorer `{name}`: a weight is a positive number, not {weight}")));
        }
        self.scorers.push(ScoringFunction { name: name.to_owned(), weight, scorer });
        Ok(self)
    }
}

/// What comes of it.
impl ScenarioBuilder {
    /// What it holds so far, complete or not.
    pub fn preview(&self) -> ScenarioPreview {
        let sum = self.sum_of_weights();
        let shared = |function: &ScoringFunction| ScoringFunction {
            weight: function.weight / sum,
            ..function.clone()
        };
        ScenarioPreview {
            name: self.name.clone(),
            input_context: InputContext {
                problem_statement: self.problem_statement.clone(),
                additional_context: self.additional_context.clone(),
            },
            scoring_contract: ScoringContract {
                scoring_function_parameters: self.scorers.iter().map(shared).collect(),
            },
            environment: self.environment(),
            metadata: self.metadata.clone(),
            reference_output: self.reference_output.clone(),
            required_environment_variables: self.required_environment_variables.clone(),
            required_secret_names: self.required_secret_names.clone(),
            scorer_timeout_sec: self.scorer_timeout_sec,
            validation_type: self.validation_type.clone(),
        }
    }

    /// The parameters that create it. What was not set is left out; the labels are there also when there are none.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] without a problem statement, and without scorers.
    pub fn build(&self) -> Result<ScenarioCreateParams, Error> {
        if self.problem_statement.is_empty() {
            return Err(refuse(format!("scenario `{}` has no problem statement", self.name)));
        }
        if self.scorers.is_empty() {
            return Err(refuse(format!("scenario `{}` has no scorer", self.name)));
        }
        let preview = self.preview();
        Ok(ScenarioCreateParams {
            name: preview.name,
            input_context: preview.input_context,
            scoring_contract: preview.scoring_contract,
            environment_parameters: preview.environment,
            metadata: Some(preview.metadata),
            reference_output: preview.reference_output,
            required_environment_variables: preview.required_environment_variables,
            required_secret_names: preview.required_secret_names,
            scorer_timeout_sec: preview.scorer_timeout_sec,
            validation_type: preview.validation_type,
        })
    }

    /// Creates the scenario.
    ///
    /// SDK 1 only.
    ///
    /// # Errors
    /// As [`ScenarioBuilder::build`], before anything is sent; [`Error`] as for any call.
    pub async fn push(&self) -> Result<Scenario, Error> {
        self.client.create_scenario(&self.build()?).await
    }

    fn sum_of_weights(&self) -> f64 {
        self.scorers.iter().map(|function| function.weight).sum()
    }

    fn environment(&self) -> Option<ScenarioEnvironment> {
        let environment = ScenarioEnvironment {
            blueprint_id: match &self.origin {
                Some(Origin::Blueprint(id)) => Some(id.clone()),
                _ => None,
            },
            snapshot_id: match &self.origin {
                Some(Origin::Snapshot(id)) => Some(id.clone()),
                _ => None,
            },
            working_directory: self.working_directory.clone(),
            launch_parameters: self.launch_parameters.clone(),
        };
        Some(environment).filter(|environment| *environment != ScenarioEnvironment::default())
    }
}
