//! HTTP/1.1 by hand, because no library sends what a broken server sends.

use std::time::Duration;

use tokio::io::{
    AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _,
};

/// What somebody asks.
#[derive(Debug, Default)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) accept: String,
    pub(super) body: Vec<u8>,
}

/// What is sent back.
pub(super) enum Answer {
    /// A response as it should be.
    Whole(Response),
    /// The head of a response, and then its body at a byte a second.
    Drip(Response),
    /// A body in parts: one of them again and again.
    Repeated { first: Vec<u8>, again: Vec<u8>, times: usize, last: Vec<u8> },
    /// The head of a watch on which nothing happens, after these lines.
    Quiet(Vec<u8>),
    /// These bytes, and the end of the connection.
    Raw(Vec<u8>),
    /// Nothing, for ever.
    Silence,
}

pub(super) struct Response {
    pub(super) code: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\
                       Transfer-Encoding: chunked\r\n\r\n";

impl Request {
    /// The next request of a connection, if one comes.
    pub(super) async fn read(stream: &mut (impl AsyncBufRead + Unpin)) -> Option<Self> {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        let mut words = line.split(' ');
        let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let mut request =
            Self { method, path: path.to_owned(), query: query.to_owned(), ..Self::default() };
        let mut length = 0;
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).await.ok()?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().ok()?,
                "accept" => value.clone_into(&mut request.accept),
                _ => {}
            }
        }
        request.body.resize(length, 0);
        stream.read_exact(&mut request.body).await.ok()?;
        Some(request)
    }

    pub(super) fn is_watch(&self) -> bool {
        self.query.contains("watch=1") || self.query.contains("watch=true")
    }

    pub(super) fn is_write(&self) -> bool {
        self.method != "GET"
    }

    /// Whether it asks for metadata alone.
    pub(super) fn is_partial(&self) -> bool {
        self.accept.contains("as=PartialObjectMetadata")
    }
}

impl Response {
    pub(super) fn head(&self) -> String {
        let length = ("Content-Length", self.body.len().to_string());
        let headers = self.headers.iter().chain([&length]);
        let lines: Vec<String> =
            headers.map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        format!("HTTP/1.1 {} Said\r\n{}\r\n", self.code, lines.concat())
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        [self.head().as_bytes(), &self.body].concat()
    }
}

impl Answer {
    /// Sends it. Whether the connection goes on.
    pub(super) async fn write(self, to: &mut (impl AsyncWrite + Unpin)) -> std::io::Result<bool> {
        match self {
            Self::Whole(response) => send(to, &response.bytes()).await?,
            Self::Drip(response) => {
                send(to, response.head().as_bytes()).await?;
                for byte in response.body {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    send(to, &[byte]).await?;
                }
            }
            Self::Repeated { first, again, times, last } => {
                send(to, CHUNKED.as_bytes()).await?;
                send(to, &chunk(&first)).await?;
                let again = chunk(&again);
                for _ in 0..times {
                    send(to, &again).await?;
                }
                send(to, &[&*chunk(&last), b"0\r\n\r\n"].concat()).await?;
            }
            Self::Quiet(lines) => {
                send(to, CHUNKED.as_bytes()).await?;
                send(to, &chunk(&lines)).await?;
                std::future::pending::<()>().await;
            }
            Self::Raw(bytes) => {
                send(to, &bytes).await?;
                to.shutdown().await?;
                return Ok(false);
            }
            Self::Silence => std::future::pending().await,
        }
        Ok(true)
    }
}

/// A chunk of a body; nothing for nothing, since an empty chunk ends the body.
fn chunk(bytes: &[u8]) -> Vec<u8> {
    if bytes.is_empty() {
        return vec![];
    }
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

async fn send(to: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> std::io::Result<()> {
    to.write_all(bytes).await?;
    to.flush().await
}
