//! Probes and metrics. `/livez` says that the process runs, `/readyz` what it still waits for.

use std::{net::SocketAddr, sync::Arc};

use axum::{Router, extract::State, http::StatusCode, routing::get};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{metrics::Metrics, readiness::Readiness};

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
        .route("/metrics", get(async |State(sources): State<Sources>| sources.metrics.text()))
        .with_state(Sources { metrics, readiness });
    axum::serve(listener, routes)
        .with_graceful_shutdown(async move { stop.cancelled().await })
        .await
}

/// Binds the address; port 0 takes a free one.
///
/// # Errors
/// The address is in use or not ours.
pub async fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    TcpListener::bind(address).await
}

async fn readyz(State(sources): State<Sources>) -> (StatusCode, String) {
    let (ready, report) = sources.readiness.report();
    (if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, report)
}
