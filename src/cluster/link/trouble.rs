//! Why a cluster that is not ours cannot be used.

use crate::cluster::Error;
use crate::domain::{
    reason::Reason,
    sentence::{chain, shown},
};

/// Why a cluster cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It does not answer, and how.
    Silent(String),
    /// Its credentials are not accepted.
    Unknown,
    /// It was looked at, and found to be none that we may use.
    Judged(Reason),
}

impl Trouble {
    /// What a failed call says of the cluster, whose credentials are kept in this Secret.
    pub(super) fn of(error: &Error, secret: &str) -> Self {
        match error {
            Error::Refused { status, .. } if status.code == 401 => Self::Unknown,
            Error::Refused { status, .. } if status.code == 403 => {
                let missing = shown(&status.message);
                Self::Judged(Reason::PermissionsMissing { missing })
            }
            Error::Unavailable { source, .. } => Self::of_transport(source, secret),
            Error::Silent { .. } => Self::Silent("no answer in time".to_owned()),
            Error::Faltering(error) => Self::of(error, secret),
            Error::Refused { .. } | Error::Swapped { .. } => Self::Silent(shown(&chain(error))),
        }
    }

    fn of_transport(source: &kube::Error, secret: &str) -> Self {
        match tls(source) {
            Some(rustls::Error::InvalidCertificate(why)) => {
                let (secret, why) = (secret.to_owned(), why.to_string());
                Self::Judged(Reason::ClusterUntrusted { secret, why })
            }
            Some(rustls::Error::AlertReceived(
                rustls::AlertDescription::BadCertificate
                | rustls::AlertDescription::CertificateExpired
                | rustls::AlertDescription::CertificateRevoked
                | rustls::AlertDescription::CertificateUnknown
                | rustls::AlertDescription::UnknownCA
                | rustls::AlertDescription::AccessDenied,
            )) => Self::Unknown,
            _ => Self::Silent(shown(&chain(source))),
        }
    }
}

/// The error of the encryption in an error, if that is the cause.
fn tls<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a rustls::Error> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        let inside = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if let Some(found) = inside.and_then(|inside| tls(inside)) {
            return Some(found);
        }
        cause = error.source();
    }
    None
}
