//! Probes and metrics. `/livez` says that the process runs, `/readyz` what it still waits for.

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use axum::{
    Router,
    extract::State,
    http::{HeaderName, StatusCode, header::CONTENT_TYPE},
    routing::get,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{metrics::Metrics, readiness::Readiness};

/// What `/metrics` is written in, which newer versions of Prometheus insist on being told.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Clone)]
struct Sources {
    metrics: Metrics,
    readiness: Arc<Readiness>,
}

/// Serves until it is told to stop.
///
/// # Errors
/// The listener fails.
pub async fn serve(
    listener: TcpListener,
    metrics: Metrics,
    readiness: Arc<Readiness>,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let routes = Router::new()
        .route("/livez", get(async || "ok"))
        .route("/readyz", get(readyz))
        .route("/metrics", get(scrape))
        .with_state(Sources { metrics, readiness });
    axum::serve(listener, routes)
        .with_graceful_shutdown(async move { stop.cancelled().await })
        .await
}

/// Binds the address; or, if it `gives_way`, a free port beside it where that is in use: a second
/// process on one host is not to be stopped by a port. On a machine without IPv6, all addresses are
/// those of IPv4.
///
/// # Errors
/// The address is not ours, or no port is free.
pub async fn bind(address: SocketAddr, gives_way: bool) -> std::io::Result<TcpListener> {
    match TcpListener::bind(address).await {
        Err(why) if why.kind() == std::io::ErrorKind::AddrInUse => {
            if !gives_way {
                return Err(why);
            }
            tracing::warn!(%address, "the port is in use; taking a free one");
            TcpListener::bind(SocketAddr::new(address.ip(), 0)).await
        }
        Err(_) if address.ip() == Ipv6Addr::UNSPECIFIED => {
            TcpListener::bind((Ipv4Addr::UNSPECIFIED, address.port())).await
        }
        other => other,
    }
}

async fn scrape(State(sources): State<Sources>) -> ([(HeaderName, &'static str); 1], String) {
    ([(CONTENT_TYPE, OPEN_METRICS)], sources.metrics.text())
}

async fn readyz(State(sources): State<Sources>) -> (StatusCode, String) {
    let (ready, report) = sources.readiness.report();
    (if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, report)
}
