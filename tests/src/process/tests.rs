//! Programs that end, hang, hide and lose their supervisor.

use super::*;
use crate::temp::TempDir;

const LIMIT: Duration = Duration::from_secs(10);

fn shell(script: &str) -> Result<Process> {
    Launch::new("script", "sh").args(["-c", script]).start()
}

fn alive(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

#[tokio::test]
async fn a_program_that_ends_tells_its_code_and_its_last_words() -> Result<()> {
    let process = shell("echo out; echo err >&2; exit 7")?;
    assert_eq!(process.wait_for_exit(LIMIT).await?, 7);
    process.wait_for_line(LIMIT, "err").await?;
    process.wait_for_line(LIMIT, "out").await?;
    assert_eq!(process.printed(Stream::Output), "out\n");
    assert!(process.terminate().is_err());
    Ok(())
}

#[tokio::test]
async fn waiting_for_a_line_ends_with_the_program_not_with_the_limit() -> Result<()> {
    let process = shell("echo sorry; exit 3")?;
    let wait = process.wait_for_line(Duration::from_secs(600), "ready");
    let error = format!("{:#}", wait.await.unwrap_err());
    assert!(error.contains("code 3") && error.contains("sorry"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_program_that_does_not_exist_ends_at_once() -> Result<()> {
    let process = Launch::new("nothing", "/does/not/exist").start()?;
    assert_eq!(process.wait_for_exit(LIMIT).await?, 127);
    Ok(())
}

#[tokio::test]
async fn a_paused_program_does_nothing_until_it_is_resumed() -> Result<()> {
    let process = shell("n=0; while :; do n=$((n + 1)); echo $n; sleep 0.02; done")?;
    process.wait_for_line(LIMIT, "3").await?;
    process.pause()?;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let frozen = process.log();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(process.log(), frozen);
    process.resume()?;
    eventually(LIMIT, "it goes on", async || {
        ensure!(process.log() != frozen);
        Ok(())
    })
    .await?;
    process.kill().await?;
    assert_eq!(process.exit_code()?, Some(137));
    Ok(())
}

#[test]
fn a_dropped_program_is_gone_even_if_it_ignores_signals_or_is_frozen() -> Result<()> {
    let process = shell("trap '' TERM INT HUP; while :; do sleep 1; done")?;
    let pid = process.pid();
    process.pause()?;
    assert!(alive(pid));
    drop(process);
    assert!(!alive(pid));
    Ok(())
}

/// As the machine's out-of-memory killer may do.
#[tokio::test]
async fn a_program_whose_supervisor_is_killed_is_gone_too() -> Result<()> {
    let process = shell("echo up; exec sleep 600")?;
    // From then on the kernel knows whose end it is to follow.
    process.wait_for_line(LIMIT, "up").await?;
    let supervisor = process.supervisor.lock().unwrap().id();
    Command::new("kill").args(["-KILL", &supervisor.to_string()]).status()?;
    eventually(LIMIT, "the program is gone", async || {
        ensure!(!alive(process.pid()), "it lives");
        Ok(())
    })
    .await
}

#[test]
fn a_program_sees_nothing_of_our_environment_but_the_path() -> Result<()> {
    let folder = TempDir::new("environment")?;
    let out = folder.path().join("out");
    let process = Launch::new("env", "sh").args(["-c", "env >\"$OUT\"; echo done"]).env("OUT", &out).start()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(process.wait_for_line(LIMIT, "done"))?;
    let seen = std::fs::read_to_string(out)?;
    assert!(!seen.contains("CARGO"), "{seen}");
    Ok(())
}
