//! A relay in front of an API server. It hands on whoever speaks with their own token, also
//! watches.

use std::{error::Error, io, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{Method, StatusCode, header},
    response::{IntoResponse as _, Response},
    serve::Listener,
};
use kube::{
    Client, client,
    config::{AuthInfo, Kubeconfig},
};
use serde_json::json;
use tokio::{net::TcpStream, sync::mpsc};
use tokio_rustls::server::TlsStream;

use super::{Recorder, When, recorder::Fate};
use crate::support::{
    authority::{Authority, kubeconfig},
    background::{self, Task, runtime},
    kubernetes::client_of,
    world::Cluster,
};

/// What is written behind the scenes, whatever becomes of Tenants.
const UNCOUNTED: [&str; 4] =
    ["/leases", "/events", "/selfsubjectaccessreviews", "/configmaps/catalyst-ledger-"];

/// A relay with an address of its own. It serves until the value is dropped.
pub(crate) struct HttpRelay {
    address: SocketAddr,
    authority: Option<Authority>,
    _serving: Vec<Task>,
}

/// To a server.
struct Way {
    server: Client,
    recorder: Arc<Recorder>,
}

impl HttpRelay {
    /// In front of the hub, for an operator to whom its kubeconfig says to speak plain HTTP.
    pub(crate) async fn plain(cluster: &Cluster, recorder: &Arc<Recorder>) -> Self {
        let (listener, address) = background::listen();
        let serving = vec![background::spawn(serve(listener, Way::new(cluster, recorder).await))];
        Self { address, authority: None, _serving: serving }
    }

    /// The same over TLS, under an authority of its own.
    pub(crate) async fn tls(cluster: &Cluster, recorder: &Arc<Recorder>) -> Self {
        let (listener, address) = background::listen();
        let authority = Authority::new();
        let (sender, accepted) = mpsc::channel(16);
        let acceptor = authority.acceptor.clone();
        let accepting = background::serve(listener, move |stream| {
            let (acceptor, sender) = (acceptor.clone(), sender.clone());
            async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    // The relay may have ended meanwhile.
                    let _ended = sender.send(stream).await;
                }
            }
        });
        let listener = TlsListener { accepted, address };
        let serving = background::spawn(serve(listener, Way::new(cluster, recorder).await));
        Self { address, authority: Some(authority), _serving: vec![accepting, serving] }
    }

    /// A kubeconfig that leads through here.
    pub(crate) fn kubeconfig(&self, token: &str) -> String {
        let plain = || json!({"server": format!("http://{}", self.address)});
        let cluster = self.authority.as_ref().map_or_else(plain, |it| it.cluster(self.address));
        kubeconfig(&cluster, token)
    }
}

impl Way {
    async fn new(cluster: &Cluster, recorder: &Arc<Recorder>) -> Self {
        let mut admin = Kubeconfig::read_from(&cluster.kubeconfig).expect("it is there");
        // Callers show who they are by themselves.
        for user in &mut admin.auth_infos {
            user.auth_info = Some(AuthInfo::default());
        }
        let server = runtime().spawn(async { client_of(admin).await });
        Self { server: server.await.expect("it does not panic"), recorder: recorder.clone() }
    }

    async fn forward(&self, request: Request) -> Response {
        let (mut parts, body) = request.into_parts();
        parts.headers.remove(header::HOST);
        let forwarded = async {
            let body = to_bytes(body, usize::MAX).await?;
            let request = Request::from_parts(parts, client::Body::from(body.to_vec()));
            Ok::<_, Box<dyn Error + Send + Sync>>(self.server.send(request).await?.map(Body::new))
        };
        forwarded.await.unwrap_or_else(|why| {
            (StatusCode::BAD_GATEWAY, format!("the server does not answer: {why}")).into_response()
        })
    }
}

async fn serve<L>(listener: L, way: Way)
where
    L: Listener<Addr = SocketAddr>,
{
    let router = Router::new().fallback(relay).with_state(Arc::new(way));
    let ended = axum::serve(listener, router).await;
    ended.expect("it serves for ever");
}

async fn relay(State(way): State<Arc<Way>>, request: Request) -> Response {
    let recorder = &way.recorder;
    let Some(write) = written(&request) else { return way.forward(request).await };
    match recorder.enter(write) {
        Fate::Passes => return deliver(&way, request).await,
        Fate::Lost => recorder.struck().await,
        Fate::Strikes(When::Before) => recorder.strike().await,
        Fate::Strikes(When::During) => {
            deliver(&way, request).await;
            recorder.strike().await;
        }
        Fate::Strikes(When::After) => {
            let answer = deliver(&way, request).await;
            // It is on its way when this function has ended.
            let way = way.clone();
            runtime().spawn(async move { way.recorder.strike().await });
            return answer;
        }
    }
    // Nobody is there any more to read it.
    StatusCode::BAD_GATEWAY.into_response()
}

/// Forwards a write, and gives the answer when all of it has arrived here. What was sent arrives,
/// also when its sender ends meanwhile: a server whose caller hangs up may make the object, and
/// says 504 in its audit log, from which tests count what was made.
async fn deliver(way: &Arc<Way>, request: Request) -> Response {
    let way = way.clone();
    let delivered = runtime().spawn(async move {
        let (parts, body) = way.forward(request).await.into_parts();
        match to_bytes(body, usize::MAX).await {
            Ok(body) => Response::from_parts(parts, Body::from(body)),
            Err(_cut_off) => StatusCode::BAD_GATEWAY.into_response(),
        }
    });
    delivered.await.expect("it does not panic")
}

/// What a request writes, if it counts.
fn written(request: &Request) -> Option<String> {
    let (method, path) = (request.method(), request.uri().path());
    let writes = [Method::POST, Method::PUT, Method::PATCH, Method::DELETE].contains(method);
    let counts = writes && !UNCOUNTED.iter().any(|uncounted| path.contains(uncounted));
    counts.then(|| format!("{method} {path}"))
}

/// Connections on which TLS is spoken already.
struct TlsListener {
    accepted: mpsc::Receiver<TlsStream<TcpStream>>,
    address: SocketAddr,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        match self.accepted.recv().await {
            Some(stream) => (stream, self.address),
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}
