//! Where the servers run that tests pretend to be: a test that blocks its own runtime does not
//! stop them.

use std::{future::Future, net::SocketAddr, sync::OnceLock};

use tokio::{
    net::{TcpListener, TcpStream},
    runtime::Runtime,
    task::{JoinHandle, JoinSet},
};

/// A task that ends with the value.
pub(crate) struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A runtime that never ends.
pub(super) fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let mut threads = tokio::runtime::Builder::new_multi_thread();
        threads.worker_threads(2).enable_all().build().expect("a runtime can be made")
    })
}

/// Runs a task beside all tests.
pub(super) fn spawn(task: impl Future<Output = ()> + Send + 'static) -> Task {
    Task(runtime().spawn(task))
}

/// A port of its own, and its address.
pub(super) fn listen() -> (TcpListener, SocketAddr) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    listener.set_nonblocking(true).expect("it is a socket");
    let address = listener.local_addr().expect("it is bound");
    let _within = runtime().enter();
    (TcpListener::from_std(listener).expect("it is a socket"), address)
}

/// Serves each connection in a task, all of which end with the value.
pub(super) fn serve<F>(
    listener: TcpListener,
    converse: impl Fn(TcpStream) -> F + Send + 'static,
) -> Task
where
    F: Future<Output = ()> + Send + 'static,
{
    spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            // Without this, small answers wait for each other.
            stream.set_nodelay(true).expect("it is a socket");
            connections.spawn(converse(stream));
            while connections.try_join_next().is_some() {}
        }
    })
}
