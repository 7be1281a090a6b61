//! Certificates, keys and tokens: read once, and kept as what was read.

use std::fmt;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jiff::Timestamp;
use rustls::{
    RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::CertifiedKey,
};
use x509_cert::{Certificate, der::Decode, time::Time};

use super::tree::Fields;
use crate::domain::reason::Reason;

/// The longest token, in bytes.
const TOKEN_MAX: usize = 16_384;
/// How many characters a line of PEM has.
const LINE: usize = 64;

/// Who we are to a server.
#[derive(Clone, PartialEq, Eq)]
pub enum Login {
    /// A client certificate and its key, written anew from what was read: nothing else is in them.
    Certificate {
        /// The certificate, and those that vouch for it.
        chain_pem: Vec<u8>,
        /// The key of the first certificate.
        key_pem: Vec<u8>,
    },
    /// A bearer token: printable ASCII without spaces.
    Token(String),
}

/// While credentials are good, by their own account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// Not before; none if they do not say.
    pub from: Option<Timestamp>,
    /// Not after.
    pub until: Timestamp,
}

impl fmt::Debug for Login {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Certificate { .. } => "Certificate(..)",
            Self::Token(_) => "Token(..)",
        })
    }
}

impl Login {
    pub(super) fn of(user: Fields<'_>) -> Result<Self, Reason> {
        let token = user.text("token")?.map(without_line_end).filter(|token| !token.is_empty());
        let chain = user.text("client-certificate-data")?;
        let key = user.text("client-key-data")?;
        let login = match (token, chain, key) {
            (None, None, None) => return Err(Reason::KubeconfigNoLogin {}),
            (Some(_), Some(_), _) | (Some(_), _, Some(_)) => {
                return Err(Reason::KubeconfigTwoLogins {});
            }
            (Some(token), None, None) => Self::token(token),
            (None, Some(chain), Some(key)) => Self::certificate(chain, key),
            (None, Some(_), None) => Err("client-key-data is missing".to_owned()),
            (None, None, Some(_)) => Err("client-certificate-data is missing".to_owned()),
        };
        login.map_err(|why| Reason::KubeconfigLoginBroken { why })
    }

    fn token(token: &str) -> Result<Self, String> {
        if token.len() > TOKEN_MAX {
            return Err(format!("the token has {} bytes and may have {TOKEN_MAX}", token.len()));
        }
        if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("the token has spaces, or characters that are not ASCII".to_owned());
        }
        Ok(Self::Token(token.to_owned()))
    }

    fn certificate(chain: &str, key: &str) -> Result<Self, String> {
        let chain = certificates("client-certificate-data", chain)?;
        let key = key_of(key)?;
        let label = match key {
            PrivateKeyDer::Pkcs1(_) => "RSA PRIVATE KEY",
            PrivateKeyDer::Sec1(_) => "EC PRIVATE KEY",
            _ => "PRIVATE KEY",
        };
        let login = Self::Certificate {
            chain_pem: chain.iter().map(|der| pem("CERTIFICATE", der)).collect::<String>().into(),
            key_pem: pem(label, key.secret_der()).into(),
        };
        let leaf = chain.first().and_then(|leaf| Certificate::from_der(leaf).ok());
        leaf.ok_or("client-certificate-data is not an X.509 certificate")?;
        // Reads both as the client will, and holds the key against the certificate.
        CertifiedKey::from_der(chain, key, &ring::default_provider()).map_err(|why| match why {
            rustls::Error::InconsistentKeys(_) => {
                "client-key-data is not the key of client-certificate-data".to_owned()
            }
            _ => "client-key-data or client-certificate-data is of a kind that TLS does not use \
                  here"
                .to_owned(),
        })?;
        Ok(login)
    }

    /// While it is good; none of a token that does not say.
    pub(super) fn validity(&self) -> Option<Validity> {
        match self {
            Self::Certificate { chain_pem, .. } => of_certificate(chain_pem),
            Self::Token(token) => of_token(token),
        }
    }
}

/// The certificates that vouch for a server, DER.
pub(super) fn authority(text: &str) -> Result<Vec<Vec<u8>>, String> {
    let certificates = certificates("it", text)?;
    let mut store = RootCertStore::empty();
    for certificate in &certificates {
        let added = store.add(certificate.clone());
        added.map_err(|_| "it has a certificate that is not X.509")?;
    }
    Ok(certificates.into_iter().map(|certificate| certificate.to_vec()).collect())
}

/// The certificates in PEM in base64; never none.
fn certificates(name: &str, text: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let found =
        CertificateDer::pem_slice_iter(&decoded(name, text)?).collect::<Result<Vec<_>, _>>();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(format!("{name} has no certificate in PEM")),
        Err(_) => Err(format!("{name} is not PEM")),
    }
}

/// The only private key in PEM in base64.
fn key_of(text: &str) -> Result<PrivateKeyDer<'static>, String> {
    let name = "client-key-data";
    let pem = decoded(name, text)?;
    let mut keys = PrivateKeyDer::pem_slice_iter(&pem);
    match (keys.next(), keys.next()) {
        (Some(Ok(key)), None) => Ok(key),
        (None, None) => Err(format!("{name} has no private key in PEM, or an encrypted one")),
        (Some(Ok(_)), Some(Ok(_))) => Err(format!("{name} has several private keys")),
        _ => Err(format!("{name} is not PEM")),
    }
}

/// What is written in base64, with line ends where one likes.
fn decoded(name: &str, text: &str) -> Result<Vec<u8>, String> {
    let text: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(text).map_err(|_| format!("{name} is not base64"))
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(LINE).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn without_line_end(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

fn of_certificate(chain: &[u8]) -> Option<Validity> {
    let leaf = CertificateDer::from_pem_slice(chain).ok()?;
    let leaf = Certificate::from_der(&leaf).ok()?;
    let validity = leaf.tbs_certificate().validity();
    // Not after the year 9999 means never, and lies a little behind the last instant there is.
    let until = instant(validity.not_after).unwrap_or(Timestamp::MAX);
    Some(Validity { from: instant(validity.not_before), until })
}

fn instant(time: Time) -> Option<Timestamp> {
    let seconds = i64::try_from(time.to_unix_duration().as_secs()).ok()?;
    Timestamp::from_second(seconds).ok()
}

/// What a JWT says of itself. Nobody checks its signature here: the server does.
fn of_token(token: &str) -> Option<Validity> {
    let parts: Vec<&str> = token.split('.').collect();
    let [_, claims, _] = parts.as_slice() else { return None };
    let claims = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
    let claims: serde_json::Value = serde_json::from_slice(&claims).ok()?;
    let second = |name: &str| {
        let number = claims.get(name)?.as_number()?.to_string();
        // Parts of a second are allowed and mean nothing to us.
        let whole = number.split('.').next()?;
        Timestamp::from_second(whole.parse().ok()?).ok()
    };
    Some(Validity { from: second("nbf").or_else(|| second("iat")), until: second("exp")? })
}
