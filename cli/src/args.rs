//! The command line: every setting, its twin in the environment, its default and its help.
//!
//! This is the one place that reads the environment. Nothing here acts.

mod authentication_config;
mod dev;
mod operator;
mod outbound;
mod provider;
mod token;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use self::authentication_config::{AuthenticationConfigArgs, ConfigVersion};
pub(crate) use self::dev::{CrdsArgs, DevArgs, LintArgs};
pub(crate) use self::operator::OperatorArgs;
pub(crate) use self::outbound::OutboundArgs;
pub(crate) use self::provider::{ProviderArgs, ProxyHeaderName};
pub(crate) use self::token::{GrantName, TokenArgs, exec_info};

const AFTER_HELP: &str = "\
Every flag has a twin in the environment, shown in [env: …]; the flag wins.

Try it on a laptop:      claviger dev examples/quickstart
Install the API types:   claviger crds | kubectl apply --server-side -f -
Check a folder in CI:    claviger lint deploy/identity";

/// The program.
#[derive(Debug, Parser)]
#[command(name = "claviger", version, about = "A Kubernetes-native OpenID Connect provider", after_help = AFTER_HELP)]
pub(crate) struct Line {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
    /// How to log.
    #[command(flatten)]
    pub(crate) logging: LoggingArgs,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve a folder of YAML on this machine, without a cluster, and follow its changes
    Dev(DevArgs),
    /// Check a folder of YAML by every rule that needs no cluster; exit 1 when there are faults
    Lint(LintArgs),
    /// Print the CustomResourceDefinitions as YAML
    Crds(CrdsArgs),
    /// Get an access token for a workload, by the ServiceAccount token that is mounted into its pod
    Token(TokenArgs),
    /// Print the kube-apiserver configuration by which a cluster accepts a Tenant's tokens
    AuthenticationConfig(AuthenticationConfigArgs),
    /// Run the operator: custom resources to published configuration
    Operator(OperatorArgs),
    /// Run a provider: published configuration to OpenID Connect
    Provider(ProviderArgs),
}

impl Command {
    /// What is logged where `--log` does not say. A person looks at the output of the tools, so
    /// they log nothing but warnings.
    pub(crate) fn default_log(&self) -> &'static str {
        match self {
            Self::Operator(_) | Self::Provider(_) => "info",
            // A redirect URI that is not registered is a developer's first mistake.
            Self::Dev(_) => "warn,claviger_provider::authorize::check::client=debug",
            Self::Lint(_) | Self::Crds(_) | Self::Token(_) | Self::AuthenticationConfig(_) => "warn",
        }
    }
}

/// How to log.
#[derive(Debug, Args)]
pub(crate) struct LoggingArgs {
    /// What is logged: a level, or a list such as `info,claviger_operator=debug`. The audit stream is
    /// apart from it, and ends only with `audit=off` in the list
    /// [default: info for operator and provider, else warn; dev says too which redirect URIs are registered where another
    /// is asked for]
    #[arg(long, env = "CLAVIGER_LOG", value_name = "FILTER", global = true, help_heading = "Logging")]
    pub(crate) log: Option<String>,
    /// How log lines look
    #[arg(
        long,
        env = "CLAVIGER_LOG_FORMAT",
        value_name = "FORMAT",
        global = true,
        default_value = "text",
        help_heading = "Logging"
    )]
    pub(crate) log_format: LogFormat,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Whether the user wants no colours (<https://no-color.org>: set, and not to nothing).
#[allow(clippy::disallowed_methods, reason = "this is the one home of the environment")]
pub(crate) fn colours_refused() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Line::command().debug_assert();
    }

    #[test]
    fn every_flag_has_a_twin_in_the_environment() {
        // A global flag is the root's alone: clap hands it down only when it reads a line.
        let root = Line::command();
        for command in std::iter::once(&root).chain(root.get_subcommands()) {
            for flag in command.get_arguments().filter(|argument| argument.get_long().is_some()) {
                let long = flag.get_long().expect("filtered");
                if matches!(long, "help" | "version") {
                    continue;
                }
                let twin = format!("CLAVIGER_{}", long.replace('-', "_").to_uppercase());
                let env = flag.get_env().unwrap_or_else(|| panic!("{}: --{long} has none", command.get_name()));
                assert_eq!(env.to_string_lossy(), twin, "{}: --{long}", command.get_name());
            }
        }
    }

    /// What a shell or a YAML list makes of a text: lines that go on are one, and a redirection ends it.
    fn commands(text: &str) -> Vec<Vec<String>> {
        let joined = text.replace("\\\n", " ");
        let words = |line: &str| -> Vec<String> {
            let words = line.split_whitespace().map(|word| word.trim_matches('"').to_owned());
            words.take_while(|word| !word.starts_with('>')).collect()
        };
        let of_shell = joined.lines().map(str::trim).filter(|line| line.starts_with("claviger ")).map(words);
        let of_yaml = joined.split("\n").collect::<Vec<_>>();
        let lists = of_yaml.split(|line| !line.trim().starts_with("- ")).filter_map(|list| {
            let items: Vec<String> = list.iter().map(|line| line.trim().trim_start_matches("- ").to_owned()).collect();
            (items.first()? == "token").then(|| [vec!["claviger".to_owned()], items].concat())
        });
        of_shell.chain(lists).collect()
    }

    #[test]
    fn what_the_guide_and_the_examples_run_is_what_the_program_takes() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for (file, number) in [
            ("docs/workloads.md", 6),
            ("examples/workloads/30-reports.yaml", 2),
            ("examples/workloads/kubeconfig", 1),
            ("examples/workloads/.github/workflows/publish.yaml", 1),
        ] {
            let text = std::fs::read_to_string(root.join(file)).expect(file);
            let found = commands(&text);
            assert_eq!(found.len(), number, "{file}: {found:#?}");
            for command in found {
                let parsed = Line::try_parse_from(&command);
                assert!(parsed.is_ok(), "{file}: {command:?}: {}", parsed.expect_err("seen"));
            }
        }
    }
}
