//! A relay in front of `PostgreSQL` that understands enough of the protocol to say which function
//! of the ledger a call makes.

use std::{collections::HashMap, io, net::SocketAddr, sync::Arc};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::mpsc,
};

use super::{Recorder, When, recorder::Fate};
use crate::support::background::{self, Task};

/// Functions that write nothing, or behind the scenes, or at the start. All others count.
const UNCOUNTED: [&str; 17] = [
    "adopt_hub_v1",
    "begin_leadership_v1",
    "changes_v1",
    "current_epoch_v1",
    "freeze_v1",
    "level_v1",
    "observe_sovereign_v1",
    "observe_tenant_v1",
    "observe_voucher_v1",
    "pin_hub_v1",
    "seal_v1",
    "seals_v1",
    "statement_v1",
    "thaw_v1",
    "tick_v1",
    "verify_sealed_v1",
    "verify_v1",
];
/// What a client sends before all else if it would like to have encryption.
const SSL_REQUEST: [u8; 4] = 80_877_103_u32.to_be_bytes();

/// A relay with an address of its own. It serves until the value is dropped.
pub(crate) struct PostgresRelay {
    address: SocketAddr,
    _serving: Task,
}

/// A message with its type in front.
type Message = Vec<u8>;

impl PostgresRelay {
    /// In front of the server of this URL.
    pub(crate) fn new(url: &str, recorder: &Arc<Recorder>) -> Self {
        let (listener, address) = background::listen();
        let (server, recorder) = (server(url).to_owned(), recorder.clone());
        let serving = background::serve(listener, move |stream| {
            let (server, recorder) = (server.clone(), recorder.clone());
            // Whichever side goes, the other is told by the end of its connection.
            async move { Conversation::hold(stream, &server, recorder).await.unwrap_or_default() }
        });
        Self { address, _serving: serving }
    }

    /// The same URL by way of this relay.
    pub(crate) fn url(&self, url: &str) -> String {
        url.replace(server(url), &self.address.to_string())
    }
}

/// The host and port of a URL.
fn server(url: &str) -> &str {
    let (_, server) = url.rsplit_once('@').expect("it names a user");
    server.split('/').next().unwrap_or_default()
}

/// One connection.
struct Conversation {
    to_client: OwnedWriteHalf,
    to_server: OwnedWriteHalf,
    recorder: Arc<Recorder>,
    calls: Calls,
    /// What the client sent since its last complete request.
    batch: Vec<u8>,
    /// How many requests are not answered yet; the first is to be let in.
    pending: usize,
    /// The request at which the process ends, as what is still pending when it is answered.
    strikes: Option<(When, usize)>,
}

impl Conversation {
    async fn hold(mut client: TcpStream, server: &str, recorder: Arc<Recorder>) -> io::Result<()> {
        let hello = hello(&mut client).await?;
        let mut server = TcpStream::connect(server).await?;
        server.set_nodelay(true)?;
        server.write_all(&hello).await?;
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        let (mut asked, mut answered) = (messages(from_client), messages(from_server));
        let (calls, batch) = (Calls::default(), vec![]);
        let (pending, strikes) = (1, None);
        let mut it = Self { to_client, to_server, recorder, calls, batch, pending, strikes };
        loop {
            let goes_on = tokio::select! {
                message = asked.recv() => match message {
                    Some(message) => it.ask(&message).await?,
                    None => false,
                },
                message = answered.recv() => match message {
                    Some(message) => it.answer(&message).await?,
                    None => false,
                },
            };
            if !goes_on {
                return Ok(());
            }
        }
    }

    /// Hands on what a client sends, request by request. Whether it goes on.
    async fn ask(&mut self, message: &Message) -> io::Result<bool> {
        self.calls.read(message);
        self.batch.extend_from_slice(message);
        if b"PBDEC".contains(&message[0]) {
            return Ok(true);
        }
        self.pending += usize::from(b"SQ".contains(&message[0]));
        match self.calls.write.take().map_or(Fate::Passes, |write| self.recorder.enter(write)) {
            Fate::Passes => {}
            Fate::Lost => {
                self.recorder.struck().await;
                return Ok(false);
            }
            Fate::Strikes(When::Before) => {
                self.recorder.strike().await;
                return Ok(false);
            }
            Fate::Strikes(when) => self.strikes = Some((when, self.pending)),
        }
        self.to_server.write_all(&std::mem::take(&mut self.batch)).await?;
        Ok(true)
    }

    /// Hands on what the server says. Whether it goes on.
    async fn answer(&mut self, message: &Message) -> io::Result<bool> {
        let is_ready = message[0] == b'Z';
        self.pending -= usize::from(is_ready);
        if let Some((_, left)) = &mut self.strikes {
            *left -= usize::from(is_ready);
        }
        if !matches!(self.strikes, Some((When::During, _))) {
            self.to_client.write_all(message).await?;
        }
        if matches!(self.strikes, Some((_, 0))) {
            self.recorder.strike().await;
            return Ok(false);
        }
        Ok(true)
    }
}

/// What a connection has prepared, and what it is about to do.
#[derive(Default)]
struct Calls {
    /// The function that each statement calls, if it counts.
    statements: HashMap<Vec<u8>, Option<String>>,
    portals: HashMap<Vec<u8>, Option<String>>,
    /// What the request writes that is being sent.
    write: Option<String>,
}

impl Calls {
    fn read(&mut self, message: &Message) {
        let mut fields = message[5..].split(|byte| *byte == 0).map(<[u8]>::to_vec);
        let mut field = || fields.next().unwrap_or_default();
        match message[0] {
            b'P' => {
                let (name, sql) = (field(), field());
                self.statements.insert(name, written(&sql));
            }
            b'B' => {
                let (portal, statement) = (field(), field());
                let called = self.statements.get(&statement).cloned().flatten();
                self.portals.insert(portal, called);
            }
            b'E' => {
                let called = self.portals.get(&field()).cloned().flatten();
                self.write = called.or(self.write.take());
            }
            b'Q' => self.write = written(&field()),
            _ => {}
        }
    }
}

/// The function of the ledger that a statement writes with, if it counts.
fn written(sql: &[u8]) -> Option<String> {
    let sql = String::from_utf8_lossy(sql);
    let names = sql.split("ledger.").skip(1).filter_map(|rest| rest.split_once('('));
    let is_name =
        |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let mut called = names.map(|(name, _)| name).filter(|name| is_name(name));
    let write = called.find(|name| !UNCOUNTED.contains(name))?;
    Some(format!("ledger.{write}"))
}

/// What a client says before it is let in. Encryption is not offered.
async fn hello(client: &mut TcpStream) -> io::Result<Vec<u8>> {
    loop {
        let length = client.read_u32().await?;
        let mut hello = length.to_be_bytes().to_vec();
        hello.resize(length as usize, 0);
        client.read_exact(&mut hello[4..]).await?;
        if hello[4..] != SSL_REQUEST {
            return Ok(hello);
        }
        client.write_all(b"N").await?;
    }
}

/// The messages of one side, whole, until it ends.
fn messages(from: OwnedReadHalf) -> mpsc::Receiver<Message> {
    let (sender, receiver) = mpsc::channel(64);
    let mut from = BufReader::new(from);
    tokio::spawn(async move {
        while let Ok(kind) = from.read_u8().await {
            let Ok(length) = from.read_u32().await else { return };
            let mut message = vec![kind];
            message.extend(length.to_be_bytes());
            message.resize(length as usize + 1, 0);
            if from.read_exact(&mut message[5..]).await.is_err()
                || sender.send(message).await.is_err()
            {
                return;
            }
        }
    });
    receiver
}
