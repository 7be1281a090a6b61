//! A kubeconfig that somebody else wrote, read into what we use of it.
//!
//! Libraries for Kubernetes run the commands, read the files and use the proxies that a kubeconfig
//! names. So none of them ever sees one: what is not understood here, or would do more than say
//! where a server is, who vouches for it and who we are to it, is refused with its own reason.

mod danger;
mod login;
mod scan;
mod server;
mod tree;

use std::{collections::BTreeMap, fmt};

use sha2::{Digest as _, Sha256};

use self::tree::{Fields, shown, unreadable};
pub use self::{
    login::{Login, Validity},
    server::{Host, Server},
};
use super::reason::Reason;

/// The keys of a Secret under which tools put a kubeconfig.
const KEYS: [&str; 3] = ["value", "kubeconfig", "config"];

/// What a kubeconfig may say: where, whom to trust, who we are.
#[derive(Clone, PartialEq, Eq)]
pub struct Kubeconfig {
    /// Where the API server is.
    pub server: Server,
    /// Certificates of the authority that vouches for the server, DER; never none.
    pub authority: Vec<Vec<u8>>,
    /// Who we are to the server.
    pub login: Login,
    /// The DNS name or address that the server's certificate is for, if not the host.
    pub tls_server_name: Option<String>,
}

/// SHA-256 over all that a kubeconfig says, so that a change is seen. The same things written in
/// another way have the same one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Of a token that can be guessed, it would tell when the guess is right.
        formatter.write_str("Digest(..)")
    }
}

impl fmt::Debug for Kubeconfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Kubeconfig({}, {:?})", self.server, self.login)
    }
}

impl Kubeconfig {
    /// The kubeconfig under a key of a Secret's data: `key`, else the first of `value`,
    /// `kubeconfig`, `config` that is there.
    ///
    /// # Errors
    /// [`Reason::SecretKeyMissing`], or what is wrong with the kubeconfig.
    pub fn open(
        secret: &str,
        key: Option<&str>,
        data: &BTreeMap<String, Vec<u8>>,
    ) -> Result<Self, Reason> {
        let value = match key {
            Some(key) => data.get(key),
            None => KEYS.iter().find_map(|key| data.get(*key)),
        };
        let missing = || {
            let keys = key.map_or_else(|| "value, kubeconfig or config".to_owned(), str::to_owned);
            Reason::SecretKeyMissing { secret: secret.to_owned(), keys }
        };
        Self::parse(value.ok_or_else(missing)?)
    }

    /// Reads a kubeconfig with one cluster, one user and one context, as YAML or JSON.
    ///
    /// # Errors
    /// One of the reasons `Kubeconfig...`, or [`Reason::AddressRefused`] for `localhost`: what
    /// would be dangerous to use is told before what is only wrong.
    pub fn parse(text: &[u8]) -> Result<Self, Reason> {
        let tree = tree::read(text)?;
        danger::refuse(&tree)?;
        let file = Fields::of("it", &tree)?.only(&[
            "apiVersion",
            "kind",
            "clusters",
            "users",
            "contexts",
            "current-context",
            "preferences",
            "extensions",
        ])?;
        for (field, wanted) in [("apiVersion", "v1"), ("kind", "Config")] {
            if file.text(field)?.is_some_and(|found| found != wanted) {
                return Err(unreadable(format!("its {field} is not {wanted}")));
            }
        }
        let cluster = file.only_one("clusters")?.only(&["name", "cluster"])?;
        let user = file.only_one("users")?.only(&["name", "user"])?;
        follow(file, cluster.needed("name")?, user.needed("name")?)?;
        let (cluster, user) = (known_of_cluster(cluster)?, known_of_user(user)?);
        let server = Server::parse(cluster.needed("server")?)?;
        let authority = cluster.text("certificate-authority-data")?;
        let authority = login::authority(authority.ok_or(Reason::KubeconfigNoAuthority {})?)
            .map_err(|why| Reason::KubeconfigAuthorityUnusable { why })?;
        let tls_server_name = certificate_name(cluster, &server)?;
        Ok(Self { server, authority, login: Login::of(user)?, tls_server_name })
    }

    /// The digest of all of it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut hash = Sha256::new();
        // With its length before it, no part can be taken for the end of the one before.
        let mut add = |part: &[u8]| {
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        };
        add(self.server.to_string().as_bytes());
        add(&self.authority.len().to_be_bytes());
        self.authority.iter().for_each(|certificate| add(certificate));
        // An empty name is refused, so that it can stand for none.
        add(self.tls_server_name.as_deref().unwrap_or_default().as_bytes());
        match &self.login {
            Login::Token(token) => [b"token".as_slice(), token.as_bytes()].map(&mut add),
            Login::Certificate { chain_pem, key_pem } => {
                [chain_pem.as_slice(), key_pem].map(&mut add)
            }
        };
        Digest(hash.finalize().into())
    }

    /// While the credentials are good, by their own account: what the client certificate says, or
    /// the claims `nbf` (else `iat`) and `exp` of a JWT. None for a token that does not say.
    #[must_use]
    pub fn validity(&self) -> Option<Validity> {
        self.login.validity()
    }
}

/// Follows the only context to the cluster and the user of these names.
fn follow(file: Fields<'_>, cluster: &str, user: &str) -> Result<(), Reason> {
    let entry = file.only_one("contexts")?.only(&["name", "context"])?;
    let known = ["cluster", "user", "namespace", "extensions"];
    let (name, context) = (entry.needed("name")?, entry.inner("context")?.only(&known)?);
    let wrong = |why: String| Err(Reason::KubeconfigContextWrong { why });
    for (field, known) in [("cluster", cluster), ("user", user)] {
        match context.text(field)? {
            Some(wanted) if wanted == known => {}
            Some(wanted) => {
                return wrong(format!("it names {field} {}, which is not there", shown(wanted)));
            }
            None => return wrong(format!("it names no {field}")),
        }
    }
    match file.text("current-context")? {
        Some(current) if current != name => {
            wrong(format!("current-context is {}, which is not there", shown(current)))
        }
        _ => Ok(()),
    }
}

fn known_of_cluster(entry: Fields<'_>) -> Result<Fields<'_>, Reason> {
    entry.inner("cluster")?.only(&[
        "server",
        "certificate-authority-data",
        "certificate-authority",
        "tls-server-name",
        "insecure-skip-tls-verify",
        "proxy-url",
        "disable-compression",
        "extensions",
    ])
}

fn known_of_user(entry: Fields<'_>) -> Result<Fields<'_>, Reason> {
    entry.inner("user")?.only(&[
        "token",
        "client-certificate-data",
        "client-key-data",
        "exec",
        "auth-provider",
        "tokenFile",
        "client-certificate",
        "client-key",
        "as",
        "as-uid",
        "as-groups",
        "as-user-extra",
        "username",
        "password",
        "extensions",
    ])
}

fn certificate_name(cluster: Fields<'_>, server: &Server) -> Result<Option<String>, Reason> {
    let Some(name) = cluster.text("tls-server-name")? else { return Ok(None) };
    let unusable = || Reason::KubeconfigServerUnusable {
        server: server.to_string(),
        why: "its tls-server-name is neither a DNS name nor an address".to_owned(),
    };
    Host::of_certificate(name).map(Some).ok_or_else(unusable)
}

#[cfg(test)]
mod tests;
