//! Servers that are not what a kubeconfig says, and are told nothing.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    sync::{Arc, Mutex},
};

use rustls::{
    ServerConfig, ServerConnection,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};

use super::*;

const KEY: &str = include_str!("../../../../src/domain/kubeconfig/fixtures/client-key.pem");

/// What a server was told.
#[derive(Default)]
struct Told {
    connections: usize,
    /// What came through the encryption.
    text: Vec<u8>,
}

/// A server with a certificate of nobody's, which takes all that it is given.
fn stranger() -> (String, Arc<Mutex<Told>>) {
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider);
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let config = Arc::new(config.with_single_cert(vec![certificate], key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("https://{}", listener.local_addr().unwrap());
    let told: Arc<Mutex<Told>> = Arc::default();
    let notes = told.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            notes.lock().unwrap().connections += 1;
            let mut connection = ServerConnection::new(config.clone()).unwrap();
            let mut tls = rustls::Stream::new(&mut connection, &mut stream);
            let mut text = [0; 4096];
            while let Ok(length @ 1..) = tls.read(&mut text) {
                notes.lock().unwrap().text.extend_from_slice(&text[..length]);
                let _gone = tls.write_all(b"HTTP/1.1 401 x\r\ncontent-length: 0\r\n\r\n");
            }
        }
    });
    (server, told)
}

#[tokio::test]
async fn a_server_that_the_authority_does_not_vouch_for_is_sent_no_token() {
    let franchise = shared_franchise().await;
    let access = franchise.abroad().await;
    let (server, told) = stranger();
    let soon = franchise.woken();
    franchise.keep_kubeconfig("muscat", &access.kubeconfig_to(&server)).await;
    soon.until::<Sovereign>("muscat", "CredentialsValid=False ClusterUntrusted").await;
    soon.until::<Sovereign>("muscat", "Connected=True").await;
    // The right server, and an authority that did not make its certificate.
    let wrong = edited(&access.kubeconfig(), |cluster, _| {
        let authority = k8s_openapi::ByteString(AUTHORITY.into());
        cluster["certificate-authority-data"] = json!(authority);
    });
    franchise.keep_kubeconfig("nizwa", &wrong).await;
    let other = crate::support::Manifest::franchised(&franchise.namespace, "nizwa", "nizwa");
    franchise.apply(other).await;
    soon.until::<Sovereign>("nizwa", "Connected=False ClusterUntrusted").await;
    let told = told.lock().unwrap();
    assert!(told.connections > 0, "nobody came");
    assert_eq!(String::from_utf8_lossy(&told.text), "", "it was told something");
}

const AUTHORITY: &str = include_str!("../../../../src/domain/kubeconfig/fixtures/authority.pem");

#[tokio::test]
async fn an_address_on_the_machine_itself_is_refused_unless_it_is_allowed() {
    use crate::support::{Installed, database};

    let world = quiet_world();
    let ledger = database(world).await;
    let installed = Installed::on(world, &ledger).await;
    let franchise = Franchise::found(world, &installed).await;
    let mut env = franchise.alone().to_vec();
    env.push(("CATALYST_REMOTE_ALLOW_CIDRS", ""));
    let operator = installed.start(&env);
    let (server, told) = stranger();
    let access = Access::granted(World::muscat()).await;
    franchise.keep_kubeconfig("muscat", &access.kubeconfig_to(&server)).await;
    franchise.apply(franchise.franchised()).await;
    let refused = franchise.until::<Sovereign>("muscat", "Ready=False AddressRefused").await;
    assert!(message(&refused, "Ready").contains("127.0.0.1"), "{refused:?}");
    let by_name = server.replace("127.0.0.1", "localhost");
    franchise.keep_kubeconfig("muscat", &access.kubeconfig_to(&by_name)).await;
    franchise.visit::<Sovereign>("muscat").await;
    franchise.until::<Sovereign>("muscat", "Ready=False AddressRefused").await;
    assert_eq!(told.lock().unwrap().connections, 0);
    operator.kill();
}
