//! `claviger crds`: the CustomResourceDefinitions as YAML, or as a page to read; the same bytes every
//! time.

mod reference;

use std::fs;
use std::process::ExitCode;

use anyhow::Context as _;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;

use crate::args::CrdsArgs;
use crate::output::Output;

/// Prints them, or writes one file a kind.
pub(crate) fn run(args: &CrdsArgs, output: &Output) -> anyhow::Result<ExitCode> {
    let definitions = claviger_crds::all_crds();
    match &args.out {
        None if args.markdown => output.print(reference::page(&definitions).trim_end()),
        None => {
            let documents: anyhow::Result<Vec<String>> = definitions.iter().map(yaml).collect();
            output.print(&documents?.join("---\n"));
        }
        Some(dir) => {
            fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
            for definition in &definitions {
                let path = dir.join(format!("{}.yaml", definition.spec.names.plural));
                fs::write(&path, yaml(definition)?).with_context(|| format!("cannot write {}", path.display()))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn yaml(definition: &CustomResourceDefinition) -> anyhow::Result<String> {
    // By way of a value, whose keys are sorted.
    let value = serde_json::to_value(definition)?;
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    Ok(serde_saphyr::to_string_with_options(&value, options)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_reads_back_as_it_was() {
        for definition in claviger_crds::all_crds() {
            let text = yaml(&definition).expect("it can be written");
            let back: CustomResourceDefinition = serde_saphyr::from_str(&text).expect("it can be read");
            assert_eq!(back, definition);
        }
    }
}
