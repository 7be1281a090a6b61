//! One thing that somebody may do on a cluster.

use std::fmt;

/// One thing that somebody may do on a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Right {
    /// API group, `""` for the core one.
    pub group: &'static str,
    /// The plural of the kind.
    pub resource: &'static str,
    /// What is done.
    pub verb: &'static str,
    /// Where; `""` for everywhere.
    pub namespace: &'static str,
    /// To which object; `""` for any.
    pub name: &'static str,
}

impl fmt::Display for Right {
    /// As in `bind clusterroles.rbac.authorization.k8s.io catalyst-tenant-owner`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { group, resource, verb, namespace, name } = self;
        write!(formatter, "{verb} {resource}")?;
        for (before, word) in [(".", group), (" ", name), (" in namespace ", namespace)] {
            if !word.is_empty() {
                write!(formatter, "{before}{word}")?;
            }
        }
        Ok(())
    }
}
