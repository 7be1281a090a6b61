//! A network between the operator and a cluster: 20 ms each way, and dead or full of nonsense when
//! it is told to be.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{mpsc, watch},
    task::{AbortHandle, JoinSet},
    time::{Instant, sleep, sleep_until},
};

use super::Outcome;

/// How long a message is under way.
const ONE_WAY: Duration = Duration::from_millis(20);
const DRIP_EVERY: Duration = Duration::from_millis(200);
/// What a machine says that is no API server, to those who expect TLS.
const NONSENSE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"kind\":";

/// What becomes of messages.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Weather {
    /// They arrive.
    Fair,
    /// They arrive when it is fair again; connections are accepted.
    Dead,
    /// The client gets nonsense, and its connection ends.
    Nonsense,
    /// The client gets five bytes a second.
    Drip,
}

/// A port that leads to a server for as long as the value lives.
pub(crate) struct Network {
    pub(crate) address: SocketAddr,
    weather: watch::Sender<Weather>,
    task: AbortHandle,
}

impl Drop for Network {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Network {
    pub(crate) async fn to(server: SocketAddr) -> Outcome<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (weather, seen) = watch::channel(Weather::Fair);
        let task = tokio::spawn(async move {
            // The connections end with the port.
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(connect(client, server, seen.clone()));
            }
        });
        Ok(Self { address, weather, task: task.abort_handle() })
    }

    pub(crate) fn turn(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }
}

/// A connection that fails is seen by the client, who says more about it.
async fn connect(mut client: TcpStream, server: SocketAddr, seen: watch::Receiver<Weather>) {
    if *seen.borrow() == Weather::Nonsense {
        let _gone = client.write_all(NONSENSE).await;
        return;
    }
    let Ok(server) = TcpStream::connect(server).await else { return };
    let _late = client.set_nodelay(true).and_then(|()| server.set_nodelay(true));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    // The end of one way is the end of both.
    tokio::select! {
        () = carry(from_client, Way { to: to_server, seen: seen.clone(), drips: false }) => {}
        () = carry(from_server, Way { to: to_client, seen, drips: true }) => {}
    }
}

/// Carries messages one way. Each is due by its own clock, however many are under way.
async fn carry(mut from: OwnedReadHalf, mut way: Way) {
    let (sent, mut due) = mpsc::channel::<(Instant, Vec<u8>)>(64);
    let read = async move {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = from.read(&mut buffer).await {
            let message = buffer.get(..length).unwrap_or_default().to_vec();
            if sent.send((Instant::now() + ONE_WAY, message)).await.is_err() {
                break;
            }
        }
    };
    let write = async move {
        while let Some((at, message)) = due.recv().await {
            sleep_until(at).await;
            if way.deliver(&message).await.is_err() {
                break;
            }
        }
    };
    // What was read before the end is still delivered.
    let read = async {
        read.await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = read => {}
        () = write => {}
    }
}

/// One way of a connection, from here on.
struct Way {
    to: OwnedWriteHalf,
    seen: watch::Receiver<Weather>,
    drips: bool,
}

impl Way {
    async fn deliver(&mut self, mut message: &[u8]) -> io::Result<()> {
        while !message.is_empty() {
            let weather = *self.seen.borrow_and_update();
            match weather {
                Weather::Dead => self.seen.changed().await.map_err(io::Error::other)?,
                Weather::Nonsense => return Err(io::ErrorKind::ConnectionAborted.into()),
                Weather::Drip if self.drips => {
                    let (byte, rest) = message.split_at(1);
                    self.to.write_all(byte).await?;
                    message = rest;
                    sleep(DRIP_EVERY).await;
                }
                Weather::Fair | Weather::Drip => {
                    self.to.write_all(message).await?;
                    message = &[];
                }
            }
        }
        Ok(())
    }
}
