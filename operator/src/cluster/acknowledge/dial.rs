//! One pod: dialed for ever.

use std::time::Duration;

use claviger_crds::published::acknowledgement::Frame;
use tokio::sync::{mpsc, watch};

use super::Configs;
use super::stream::{Stream, StreamError};
use crate::cluster::backoff::Backoff;

const FIRST_WAIT: Duration = Duration::from_millis(100);
/// Short: a pod that came back holds up every change until it is heard.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// What a dialing task tells.
#[derive(Debug)]
pub(super) enum Said {
    /// The pod said something.
    Frame(Frame),
    /// The stream ended.
    Lost,
}

/// Dials the pod `name`, and dials it again when its stream has ended; a new address or certificate
/// is used at the next attempt, which it brings forward. Ends when nobody listens any more.
pub(super) async fn dial(
    id: u64,
    name: String,
    mut addresses: watch::Receiver<String>,
    mut configs: Configs,
    said: mpsc::Sender<(u64, Said)>,
) {
    let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT);
    let mut complaint = String::new();
    loop {
        let config = match configs.wait_for(Option::is_some).await {
            Ok(config) => config.clone(),
            Err(_) => return,
        };
        let Some(config) = config else { continue };
        let address = addresses.borrow_and_update().clone();
        let error = match Stream::open(&address, config).await {
            Ok(mut stream) => {
                let error = tell(id, &name, &mut stream, &said, &mut backoff).await;
                complaint.clear();
                if said.send((id, Said::Lost)).await.is_err() {
                    return;
                }
                error
            }
            Err(error) => error,
        };
        // Once: an address where nobody is would be complained of for ever.
        let text = error.to_string();
        if text != complaint {
            tracing::warn!(pod = name, address, error = text, "a provider pod is not heard");
            complaint = text;
        }
        tokio::select! {
            () = tokio::time::sleep(backoff.next()) => {}
            Ok(()) = addresses.changed() => {}
            Ok(()) = configs.changed() => {}
        }
    }
}

/// Tells what the stream brings, until it ends; says why.
async fn tell(
    id: u64,
    name: &str,
    stream: &mut Stream,
    said: &mpsc::Sender<(u64, Said)>,
    backoff: &mut Backoff,
) -> StreamError {
    loop {
        let frame = match stream.next().await {
            Ok(frame) => frame,
            Err(error) => return error,
        };
        match &frame {
            Frame::Hello { pod, uid, protocol, .. } => {
                tracing::info!(pod = name, names_itself = pod, uid, protocol, "a provider pod is heard");
                backoff.reset();
            }
            Frame::Synced => tracing::debug!(pod = name, "the provider pod has named all that it serves"),
            _ => {}
        }
        if said.send((id, Said::Frame(frame))).await.is_err() {
            return StreamError::Ended;
        }
    }
}
