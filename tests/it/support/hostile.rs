//! An API server that nobody should trust, in this process: on 127.0.0.1, over TLS, under an
//! authority of its own. It serves until the value is dropped.

mod behaviour;
mod plausible;
mod tricks;
mod wire;

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

pub(crate) use behaviour::Behaviour;
use tokio::{
    io::{AsyncWriteExt as _, BufReader},
    net::TcpStream,
    sync::watch,
};

use super::{
    authority::{Authority, kubeconfig},
    background::{self, Task},
};
use plausible::{Memory, SYSTEM};
use tricks::Scene;
use wire::{Answer, Request};

/// The `ConfigMap` in which an operator writes down that a cluster is its own.
const PIN: &str = "catalyst-hub";

/// A server, and what it saw.
pub(crate) struct Hostile {
    shared: Arc<Shared>,
    kubeconfig: String,
    _serving: [Task; 2],
}

struct Shared {
    authority: Authority,
    behaviour: watch::Sender<Behaviour>,
    /// How it behaves after the first contact.
    later: Mutex<Option<Behaviour>>,
    memory: Mutex<Memory>,
    requests: Mutex<Vec<String>>,
    elsewhere: SocketAddr,
    led_astray: AtomicUsize,
}

impl Hostile {
    /// One that behaves like this from the beginning.
    pub(crate) fn start(behaviour: Behaviour) -> Self {
        Self::launch(behaviour, None)
    }

    /// One that is plausible until the operator has written down that the cluster is its own.
    pub(crate) fn after_contact(behaviour: Behaviour) -> Self {
        Self::launch(Behaviour::Plausible, Some(behaviour))
    }

    fn launch(now: Behaviour, later: Option<Behaviour>) -> Self {
        let (listener, address) = background::listen();
        let (astray, elsewhere) = background::listen();
        let shared = Arc::new(Shared {
            authority: Authority::new(),
            behaviour: watch::Sender::new(now),
            later: Mutex::new(later),
            memory: Mutex::new(Memory::new()),
            requests: Mutex::default(),
            elsewhere,
            led_astray: AtomicUsize::new(0),
        });
        let kubeconfig = kubeconfig(&shared.authority.cluster(address), "hostile-token");
        let (server, other) = (shared.clone(), shared.clone());
        let serving = background::serve(listener, move |stream| {
            let server = server.clone();
            async move { server.converse(stream).await.unwrap_or_default() }
        });
        let leading = background::serve(astray, move |_stream| {
            other.led_astray.fetch_add(1, Ordering::Relaxed);
            std::future::ready(())
        });
        Self { shared, kubeconfig, _serving: [serving, leading] }
    }

    /// Behaves like this from now on. Answers that go on are cut off.
    pub(crate) fn turn(&self, behaviour: Behaviour) {
        self.shared.behaviour.send_replace(behaviour);
    }

    /// How it behaves now.
    pub(crate) fn behaviour(&self) -> Behaviour {
        self.shared.behaviour.borrow().clone()
    }

    /// A kubeconfig that leads here, with authority and token in itself.
    pub(crate) fn kubeconfig(&self) -> &str {
        &self.kubeconfig
    }

    /// The UID of its kube-system.
    pub(crate) fn uid(&self) -> String {
        self.shared.memory.lock().expect("nobody panicked").uid.clone()
    }

    /// Every request so far, as `GET /version`.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.shared.requests.lock().expect("nobody panicked").clone()
    }

    /// How many connections somebody made to where redirects lead.
    pub(crate) fn led_astray(&self) -> usize {
        self.shared.led_astray.load(Ordering::Relaxed)
    }
}

impl Shared {
    async fn converse(self: Arc<Self>, stream: TcpStream) -> std::io::Result<()> {
        let mut turned = self.behaviour.subscribe();
        if *turned.borrow_and_update() == Behaviour::NoTls {
            let _until = turned.changed().await;
            return Ok(());
        }
        let mut stream = BufReader::new(self.authority.acceptor.accept(stream).await?);
        loop {
            let request = Request::read(&mut stream).await;
            let Some(request) = request else { return stream.shutdown().await };
            let now = turned.borrow_and_update().clone();
            let answer = self.answer(&now, &request);
            let goes_on = tokio::select! {
                written = answer.write(&mut stream) => written?,
                _ = turned.changed() => false,
            };
            if is_pin(&request)
                && let Some(later) = self.later.lock().expect("nobody panicked").take()
            {
                self.behaviour.send_replace(later);
            }
            if !goes_on {
                return Ok(());
            }
        }
    }

    fn answer(&self, behaviour: &Behaviour, request: &Request) -> Answer {
        let Request { method, path, .. } = request;
        let mut requests = self.requests.lock().expect("nobody panicked");
        requests.push(format!("{method} {path}"));
        let scene = Scene {
            memory: &mut self.memory.lock().expect("nobody panicked"),
            identified: requests.iter().filter(|known| known.ends_with(SYSTEM)).count(),
            requests: requests.len(),
            elsewhere: self.elsewhere,
        };
        tricks::answer(behaviour, request, scene)
    }
}

/// Whether it writes down whose the cluster is: with the answer, the first contact is over.
fn is_pin(request: &Request) -> bool {
    let names = |text: &str| text.contains(PIN);
    let (path, body) = (&request.path, String::from_utf8_lossy(&request.body));
    request.is_write() && path.contains("/configmaps") && (names(path) || names(&body))
}
