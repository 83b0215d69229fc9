//! What a Service is to its clients: one address, and behind it any pod that serves, for each
//! connection by chance. A connection that a pod refuses goes to the next.
//!
//! Not in turn: clients that ask at the same intervals, an even number of them, would each meet the same
//! one of two pods for ever.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::Arc;

use anyhow::Result;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::settings::Chance;

/// The ports of the pods that serve, now.
pub(crate) type Serving = dyn Fn() -> Vec<u16> + Send + Sync;

/// A running balancer; it ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Balancer {
    pub(crate) url: String,
    _accepting: JoinSet<Infallible>,
}

impl Balancer {
    pub(crate) async fn start(port: u16, serving: Arc<Serving>, chance: Chance) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let url = format!("http://127.0.0.1:{port}");
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, serving, chance));
        Ok(Self { url, _accepting: accepting })
    }
}

async fn accept(listener: TcpListener, serving: Arc<Serving>, mut chance: Chance) -> Infallible {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                let mut ports = serving();
                let first = chance.below(ports.len());
                ports.rotate_left(first);
                connections.spawn(carry(stream, ports));
            },
            Some(_) = connections.join_next() => (),
        }
    }
}

async fn carry(mut client: TcpStream, ports: Vec<u16>) {
    for port in ports {
        if let Ok(mut pod) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await {
            // Cut off midway: the client sees that, and asks again.
            let _ = tokio::io::copy_bidirectional(&mut client, &mut pod).await;
            return;
        }
    }
}
