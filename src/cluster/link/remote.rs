//! A client for a cluster that is not ours, by a kubeconfig that somebody else wrote.
//!
//! Nothing of the kubeconfig reaches the library as it was written: its address is resolved once,
//! judged, and the client connects to what was judged and nowhere else; there is no retry, no
//! proxy and no redirect; and no answer is read beyond a size that no object of ours has.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    net::SocketAddr,
    task::{Context, Poll},
    time::Duration,
};

use http::Uri;
use http_body_util::Limited;
use hyper_util::{
    client::legacy::{
        Client as Http,
        connect::{HttpConnector, dns::Name},
    },
    rt::{TokioExecutor, TokioTimer},
};
use kube::{
    Client, Config,
    client::{Body, ConfigExt as _},
    config::AuthInfo,
};
use tower::{BoxError, Service, ServiceBuilder, ServiceExt as _};

use super::Trouble;
use crate::cluster::CONNECT_MAX;
use crate::domain::{
    address::{self, Allowed},
    kubeconfig::{Host, Kubeconfig, Login, Server},
    reason::Reason,
};

/// No object of ours, and no page of a list that we ask for, is larger.
const ANSWER_BYTES_MAX: usize = 1 << 20;
/// How many addresses of one name are tried.
const ADDRESSES_MAX: usize = 8;
/// How long a name may take to be resolved.
const RESOLVE_MAX: Duration = Duration::from_secs(5);
/// A connection that nobody uses is closed after this long: there may be many clusters.
const IDLE_MAX: Duration = Duration::from_secs(30);

/// Where nothing of ours may go.
#[derive(Clone, Debug)]
pub(in crate::cluster) struct Guard {
    /// The hub's own API server, as host and port.
    pub(in crate::cluster) hub: (String, u16),
    /// What its administrator allows all the same.
    pub(in crate::cluster) allowed: Allowed,
}

impl Guard {
    /// The addresses of a server, if each may be connected to.
    async fn resolve(&self, server: &Server) -> Result<Vec<SocketAddr>, Trouble> {
        let addresses = match &server.host {
            Host::Address(address) => vec![SocketAddr::new(*address, server.port)],
            Host::Name(name) => look_up(name, server.port).await.map_err(|why| {
                Trouble::Judged(Reason::AddressUnknown { host: name.clone(), why })
            })?,
        };
        let hub = look_up(&self.hub.0, self.hub.1).await.unwrap_or_default();
        for socket in &addresses {
            address::judge(*socket, &hub, &self.allowed).map_err(Trouble::Judged)?;
        }
        Ok(addresses)
    }
}

async fn look_up(name: &str, port: u16) -> Result<Vec<SocketAddr>, String> {
    let found = tokio::time::timeout(RESOLVE_MAX, tokio::net::lookup_host((name, port))).await;
    let found = found.map_err(|_elapsed| "no answer in time".to_owned())?;
    let found: Vec<SocketAddr> =
        found.map_err(|why| why.to_string())?.take(ADDRESSES_MAX).collect();
    if found.is_empty() { Err("the name has none".to_owned()) } else { Ok(found) }
}

/// A client that connects to the addresses that the server's name has now, and to no others.
///
/// # Errors
/// One of the addresses is refused, or the credentials cannot be used.
pub(super) async fn client(kubeconfig: &Kubeconfig, guard: &Guard) -> Result<Client, Trouble> {
    let pinned = Pinned(guard.resolve(&kubeconfig.server).await?);
    let config = config(kubeconfig)?;
    let broken = |why: kube::Error| {
        let why = crate::domain::sentence::chain(&why);
        Trouble::Judged(Reason::KubeconfigLoginBroken { why })
    };
    let mut connector = HttpConnector::new_with_resolver(pinned);
    connector.enforce_http(false);
    connector.set_connect_timeout(Some(CONNECT_MAX));
    connector.set_nodelay(true);
    connector.set_keepalive(Some(IDLE_MAX));
    let connector = config.rustls_https_connector_with_connector(connector).map_err(broken)?;
    let http: Http<_, Body> = Http::builder(TokioExecutor::new())
        .pool_idle_timeout(IDLE_MAX)
        .pool_timer(TokioTimer::new())
        .build(connector);
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(config.auth_layer().map_err(broken)?)
        .map_err(BoxError::from)
        .service(http)
        .map_response(|answer: http::Response<_>| {
            answer.map(|body| Limited::new(body, ANSWER_BYTES_MAX))
        });
    Ok(Client::new(service, "default"))
}

/// The library's configuration, of parts that cannot name a command or a file.
fn config(kubeconfig: &Kubeconfig) -> Result<Config, Trouble> {
    let server = kubeconfig.server.to_string();
    let url: Uri = server.parse().map_err(|why: http::uri::InvalidUri| {
        let why = why.to_string();
        Trouble::Judged(Reason::KubeconfigServerUnusable { server: server.clone(), why })
    })?;
    let mut config = Config::new(url);
    config.root_cert = Some(kubeconfig.authority.clone());
    config.tls_server_name.clone_from(&kubeconfig.tls_server_name);
    config.auth_info = match &kubeconfig.login {
        Login::Token(token) => {
            AuthInfo { token: Some(token.clone().into()), ..AuthInfo::default() }
        }
        Login::Certificate { chain_pem, key_pem } => AuthInfo {
            client_certificate_data: Some(base64(chain_pem)),
            client_key_data: Some(base64(key_pem).into()),
            ..AuthInfo::default()
        },
    };
    Ok(config)
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// A resolver that knows one answer.
#[derive(Clone)]
struct Pinned(Vec<SocketAddr>);

impl Service<Name> for Pinned {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _name: Name) -> Self::Future {
        ready(Ok(self.0.clone().into_iter()))
    }
}
