//! `docs/workloads.md` and the YAML that it speaks of.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{run, stderr, stdout};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every text file below `folder`, hidden ones too.
fn texts(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            texts(&path, found);
        } else if let Ok(text) = fs::read_to_string(&path) {
            found.push(text);
        }
    }
}

/// The fenced blocks of a page, with their language.
fn blocks(page: &str) -> Vec<(&str, &str)> {
    let fenced = page.split("\n```").skip(1).step_by(2);
    fenced.map(|block| block.split_once('\n').expect("a language, and lines")).collect()
}

#[test]
fn the_examples_have_no_faults() {
    let output = run(&["lint", &root().join("examples/workloads").to_string_lossy()]);
    let told = stderr(&output);
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(0), ""), "{told}");
    assert!(!told.contains("not judged"), "{told}");
}

#[test]
fn what_the_guide_shows_is_in_the_examples_letter_by_letter() {
    let mut examples = Vec::new();
    texts(&root().join("examples/workloads"), &mut examples);
    texts(&root().join("examples/resource-server"), &mut examples);
    let page = fs::read_to_string(root().join("docs/workloads.md")).expect("the guide");
    let mut shown = 0;
    for (language, block) in blocks(&page) {
        match language {
            "yaml" | "python" | "go" => {
                assert!(examples.iter().any(|text| text.contains(block)), "in no example:\n{block}");
                shown += 1;
            }
            "sh" => {}
            other => panic!("{other} is checked by nobody"),
        }
    }
    assert!(shown > 10, "{shown}");
}

#[test]
fn every_link_of_the_guide_leads_somewhere() {
    let page = fs::read_to_string(root().join("docs/workloads.md")).expect("the guide");
    let anchor = |heading: &str| {
        let kept = heading.to_lowercase().chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect();
        let kept: String = kept;
        kept.replace(' ', "-")
    };
    let headings: Vec<String> = page.lines().filter_map(|line| line.strip_prefix("## ")).map(anchor).collect();
    let links: Vec<&str> = page.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    assert!(links.len() > 10, "{links:?}");
    for link in links.iter().filter(|link| !link.starts_with("https://")) {
        match link.strip_prefix('#') {
            Some(heading) => assert!(headings.iter().any(|known| known == heading), "{link}: {headings:?}"),
            None => assert!(root().join("docs").join(link).exists(), "{link}"),
        }
    }
}
