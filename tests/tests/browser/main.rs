//! Tests in a real Chromium. Each module starts what a suite of `tests/browser/` needs and runs that
//! suite, where one file is one behaviour. See ../../README.md.

mod applications;
mod example_runs;
mod manifests;
mod pages;
mod suite;
mod tls;
