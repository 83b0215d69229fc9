//! What a Service is to its clients: one address, and behind it whichever pod serves. A connection
//! that a pod refuses goes to the next.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// The ports of the pods that serve, now.
pub(crate) type Serving = dyn Fn() -> Vec<u16> + Send + Sync;

/// A running balancer; it ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Balancer {
    pub(crate) url: String,
    _accepting: JoinSet<Infallible>,
}

impl Balancer {
    pub(crate) async fn start(port: u16, serving: Arc<Serving>) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let url = format!("http://127.0.0.1:{port}");
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, serving));
        Ok(Self { url, _accepting: accepting })
    }
}

async fn accept(listener: TcpListener, serving: Arc<Serving>) -> Infallible {
    let turn = Arc::new(AtomicUsize::new(0));
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                connections.spawn(carry(stream, Arc::clone(&serving), Arc::clone(&turn)));
            },
            Some(_) = connections.join_next() => (),
        }
    }
}

async fn carry(mut client: TcpStream, serving: Arc<Serving>, turn: Arc<AtomicUsize>) {
    let ports = serving();
    let first = turn.fetch_add(1, Ordering::Relaxed);
    for step in 0..ports.len() {
        let port = ports[(first + step) % ports.len()];
        if let Ok(mut pod) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await {
            // Cut off midway: the client sees that, and asks again.
            let _ = tokio::io::copy_bidirectional(&mut client, &mut pod).await;
            return;
        }
    }
}
