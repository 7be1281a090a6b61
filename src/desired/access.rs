//! What the owners may do: bindings to `ClusterRoles` of our own, because Kubernetes' `edit` may
//! delete the policies that hold a Tenant in its place.

use k8s_openapi::api::rbac::v1::{RoleBinding, RoleRef, Subject};

use super::{labels::metadata, object};
use crate::{
    api::{Owner, OwnerKind, OwnerRole},
    domain::{
        object::{Kind, Object},
        tenant::Tenant,
    },
};

const RBAC_GROUP: &str = "rbac.authorization.k8s.io";

/// The roles with the `ClusterRole` that each is bound to.
pub const ROLES: [(OwnerRole, &str); 4] = [
    (OwnerRole::Owner, "catalyst-tenant-owner"),
    (OwnerRole::Admin, "catalyst-tenant-admin"),
    (OwnerRole::Member, "catalyst-tenant-member"),
    (OwnerRole::Viewer, "catalyst-tenant-viewer"),
];

/// One binding per role that somebody has.
#[must_use]
pub fn bindings(tenant: &Tenant) -> Vec<Object> {
    let binding = |(role, name): (OwnerRole, &str)| {
        let subjects: Vec<Subject> =
            tenant.owners.iter().filter(|owner| owner.role == role).map(subject).collect();
        (!subjects.is_empty()).then(|| {
            let binding = RoleBinding {
                metadata: metadata(tenant, name),
                role_ref: RoleRef {
                    api_group: RBAC_GROUP.to_owned(),
                    kind: "ClusterRole".to_owned(),
                    name: name.to_owned(),
                },
                subjects: Some(subjects),
            };
            object(Kind::RoleBinding, &tenant.main_namespace(), name, &binding)
        })
    };
    ROLES.into_iter().filter_map(binding).collect()
}

fn subject(owner: &Owner) -> Subject {
    let (kind, group, namespace) = match owner.kind {
        OwnerKind::User => ("User", Some(RBAC_GROUP.to_owned()), None),
        OwnerKind::Group => ("Group", Some(RBAC_GROUP.to_owned()), None),
        OwnerKind::ServiceAccount => ("ServiceAccount", None, Some(owner.namespace.clone())),
    };
    Subject { kind: kind.to_owned(), name: owner.name.clone(), api_group: group, namespace }
}
