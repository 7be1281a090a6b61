//! A certificate authority for one server of a test, and kubeconfigs that trust it.

use std::{net::SocketAddr, sync::Arc};

use k8s_openapi::ByteString;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use serde_json::{Value, json};
use tokio_rustls::TlsAcceptor;

/// What a TLS server on 127.0.0.1 needs, under an authority that nobody else has.
pub(super) struct Authority {
    pem: String,
    pub(super) acceptor: TlsAcceptor,
}

impl Authority {
    pub(super) fn new() -> Self {
        let new_key = || KeyPair::generate().expect("a key can be made");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let issuer = CertifiedIssuer::self_signed(params, new_key()).expect("it signs itself");
        let key = new_key();
        let params = CertificateParams::new(["127.0.0.1".to_owned()]).expect("it is an address");
        let certificate = params.signed_by(&key, &issuer).expect("it is signed");
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring speaks TLS")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("the key is that of the certificate");
        Self { pem: issuer.pem(), acceptor: TlsAcceptor::from(Arc::new(config)) }
    }

    /// A server under it, as a kubeconfig names it.
    pub(super) fn cluster(&self, server: SocketAddr) -> Value {
        json!({
            "server": format!("https://{server}"),
            "certificate-authority-data": ByteString(self.pem.clone().into_bytes()),
        })
    }
}

/// A kubeconfig with everything in itself, as a franchisee hands it over.
pub(super) fn kubeconfig(cluster: &Value, token: &str) -> String {
    let kubeconfig = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "sovereign", "cluster": cluster}],
        "users": [{"name": "catalyst", "user": {"token": token}}],
        "contexts": [{"name": "sovereign", "context": {
            "cluster": "sovereign",
            "user": "catalyst",
        }}],
        "current-context": "sovereign",
    });
    serde_yaml::to_string(&kubeconfig).expect("it is YAML")
}
