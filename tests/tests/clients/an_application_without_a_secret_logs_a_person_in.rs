//! The code flow of public clients, by PKCE alone: pages in a browser, and programs at a terminal
//! that listen on whatever port is free (RFC 8252 §7.3).

use anyhow::Result;
use claviger_tests::ports::free_port;
use claviger_tests::relying_party::Language;

use crate::login::{Home, in_and_out};

async fn page(language: Language) -> Result<()> {
    let home = Home {
        callback: "https://page.example/callback".to_owned(),
        goodbye: "https://page.example/goodbye".to_owned(),
    };
    in_and_out(language, "page", "none", &home).await.map(drop)
}

async fn terminal(language: Language) -> Result<()> {
    let home = Home {
        callback: format!("http://127.0.0.1:{}/callback", free_port()?),
        goodbye: "http://127.0.0.1/goodbye".to_owned(),
    };
    in_and_out(language, "terminal", "none", &home).await.map(drop)
}

#[tokio::test]
async fn a_page_in_javascript() -> Result<()> {
    page(Language::JavaScript).await
}

#[tokio::test]
async fn a_page_in_rust() -> Result<()> {
    page(Language::Rust).await
}

#[tokio::test]
async fn a_program_in_python() -> Result<()> {
    terminal(Language::Python).await
}

#[tokio::test]
async fn a_program_in_go() -> Result<()> {
    terminal(Language::Go).await
}

#[tokio::test]
async fn a_program_in_java() -> Result<()> {
    terminal(Language::Java).await
}
