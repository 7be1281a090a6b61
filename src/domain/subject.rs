//! Which code a Voucher object speaks for, and with what lineage.

use super::{
    code::{Code, Given},
    facts::VoucherFacts,
    reason::Reason,
    voucher::{Lineage, Voucher},
};

/// What a Voucher object speaks for.
#[derive(Clone, Debug)]
pub struct Subject<'a> {
    /// The code.
    pub code: Code,
    /// What the ledger knows of it.
    pub lineage: Option<&'a Lineage>,
    /// Why the object does not say the same as the ledger, if so.
    pub differs: Option<Reason>,
}

impl Voucher {
    /// What the object speaks for: the code that it gives; but where a secret one was accepted of
    /// this object before, that one for ever, whatever became of its Secret.
    ///
    /// # Errors
    /// The code is not known and none was accepted.
    pub fn subject<'a>(&self, facts: &'a VoucherFacts) -> Result<Subject<'a>, Reason> {
        let given = self.code.code();
        let accepted = facts.holds.as_ref().filter(|lineage| lineage.uid == self.uid);
        let (Given::Kept { at, .. }, Some(lineage)) = (&self.code, accepted) else {
            let code = given.map_err(Clone::clone)?.clone();
            return Ok(Subject { code, lineage: facts.lineage.as_ref(), differs: None });
        };
        let is_other = match given {
            Ok(code) => code.digest() != lineage.digest,
            Err(Reason::CodeSecretMissing { .. } | Reason::CodeSecretForbidden { .. }) => false,
            Err(_) => true,
        };
        let (secret, hint) = (at.secret.clone(), lineage.hint.clone());
        Ok(Subject {
            code: Code::accepted(lineage.digest, &lineage.hint),
            lineage: Some(lineage),
            differs: is_other.then_some(Reason::CodeChanged { secret, hint }),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::api;

    const FIRST: &str = "K7QX-93MP-T2WV-8RLD";
    const OTHER: &str = "M4HZ-93MP-T2WV-8RLD";

    /// A Voucher whose code is kept in Secret launch, where this was found.
    fn voucher(found: Option<&str>) -> Voucher {
        let object: api::Voucher = serde_json::from_value(json!({
            "apiVersion": "catalyst.openova.io/v1alpha1", "kind": "Voucher",
            "metadata": {"namespace": "omantel", "name": "launch", "uid": "uid-launch"},
            "spec": {"sovereignRef": {"name": "catalyst-zero"}, "credit": "100.000 OMR",
                "codeFrom": {"secretKeyRef": {"name": "launch", "key": "code"}}},
        }))
        .unwrap();
        let mut voucher = Voucher::parse(&object).unwrap();
        let Given::Kept { at, code } = &mut voucher.code else { panic!("it is kept") };
        *code = at.open(found.map(str::as_bytes));
        voucher
    }

    fn lineage(code: &str, uid: &str) -> Value {
        let code = Code::parse_secret(code).unwrap();
        json!({"digest": code.digest().to_string(), "hint": code.hint(), "holder": "launch",
            "uid": uid, "generation": 1, "sovereign": "catalyst-zero", "amount": 1,
            "currency": "OMR", "state": "Active", "cap": null, "used": 0,
            "budget": null, "spent": 0,
            "valid_from": null, "expires_at": null, "credit_expires_after": null, "plans": null,
            "new_accounts_only": false})
    }

    fn facts(lineage: &Value, holds: &Value) -> VoucherFacts {
        serde_json::from_value(json!({
            "now": "2026-09-01T00:00:00Z", "least_program": 1, "franchise": null,
            "currency": "OMR", "lineage": lineage, "holds": holds,
        }))
        .unwrap()
    }

    fn digest(code: &str) -> crate::domain::code::Digest {
        Code::parse(code).unwrap().digest()
    }

    #[test]
    fn a_code_that_was_never_accepted_is_what_its_secret_says() {
        let facts = facts(&json!(null), &json!(null));
        let found = voucher(Some(FIRST));
        assert_eq!(found.subject(&facts).unwrap().code.digest(), digest(FIRST));
        for (value, reason) in [(None, "CodeSecretMissing"), (Some("SHORT"), "CodeTooShort")] {
            assert_eq!(voucher(value).subject(&facts).unwrap_err().name(), reason);
        }
    }

    #[test]
    fn the_first_code_that_was_accepted_stays_whatever_becomes_of_its_secret() {
        let accepted = lineage(FIRST, "uid-launch");
        for (value, asked, differs) in [
            (Some(FIRST), accepted.clone(), None),
            (None, json!(null), None),
            (Some(OTHER), json!(null), Some("CodeChanged")),
            (Some(OTHER), lineage(OTHER, "uid-other"), Some("CodeChanged")),
            (Some("SHORT"), json!(null), Some("CodeChanged")),
        ] {
            let (voucher, facts) = (voucher(value), facts(&asked, &accepted));
            let subject = voucher.subject(&facts).unwrap();
            assert_eq!(subject.code.digest(), digest(FIRST), "{value:?}");
            assert_eq!(subject.code.hint(), "K7QX…");
            assert_eq!(subject.lineage.unwrap().uid, "uid-launch");
            assert_eq!(subject.differs.map(|reason| reason.name()), differs, "{value:?}");
        }
    }

    #[test]
    fn an_object_of_the_same_name_does_not_inherit_the_code() {
        let facts = facts(&json!(null), &lineage(FIRST, "uid-before"));
        assert_eq!(voucher(None).subject(&facts).unwrap_err().name(), "CodeSecretMissing");
        let other = voucher(Some(OTHER));
        let subject = other.subject(&facts).unwrap();
        assert_eq!((subject.code.digest(), subject.differs), (digest(OTHER), None));
    }
}
