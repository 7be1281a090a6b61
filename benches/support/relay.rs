//! A network of a known length: a relay that holds every message back for a while, each way.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
    time::Duration,
};

use super::Outcome;

/// How long a message is under way; there and back takes a millisecond.
const ONE_WAY: Duration = Duration::from_micros(500);

/// Listens for as long as the program lives and relays every connection to the server. Each
/// direction has a thread: the timer of an asynchronous runtime knows whole milliseconds only. A
/// question waits for its answer on these connections, so that no message waits behind another.
pub(crate) fn start(server: SocketAddr) -> Outcome<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for accepted in listener.incoming() {
            // A connection that fails is seen by the client, who says more about it.
            let _failed = accepted.and_then(|client| connect(client, server));
        }
    });
    Ok(address)
}

fn connect(client: TcpStream, server: SocketAddr) -> std::io::Result<()> {
    let server = TcpStream::connect(server)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_server) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || relay(from_client, to_server));
    thread::spawn(move || relay(server, client));
    Ok(())
}

fn relay(mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        thread::sleep(ONE_WAY);
        if buffer.get(..length).is_none_or(|message| to.write_all(message).is_err()) {
            break;
        }
    }
    // The other side learns that this one is gone.
    let _gone = to.shutdown(std::net::Shutdown::Both);
}
