//! Seals of the ledger, and what was anchored of them outside of the database: whether the two
//! still agree. Pure.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What the ledger says of its seals.
#[derive(Clone, Debug, Deserialize)]
pub struct Seals {
    /// The server that the database is on.
    pub server: String,
    /// The server on which its rows were sealed; none before the first was.
    pub sealed_on: Option<String>,
    /// Every franchise that it knows, by namespace.
    pub franchises: Vec<Sealed>,
}

/// What the ledger says of the seals of a franchise.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Sealed {
    /// The hub namespace.
    pub namespace: String,
    /// Why its money waits for a person, if it does.
    pub frozen: Option<String>,
    /// The last block.
    pub head: Option<Block>,
    /// The hash of the block that was asked for: the one that is anchored.
    pub anchored: Option<String>,
}

/// A block of sealed entries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// Its number.
    pub block: i32,
    /// Its hash, which is also that of everything before it.
    pub hash: String,
    /// How many entries are sealed up to and with it.
    pub entries: i64,
    /// When it was sealed, in ledger time.
    pub sealed_at: Timestamp,
}

/// A block as it was written down outside of the database, and on which server that was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// The last block of that time.
    pub head: Block,
    /// The server.
    pub server: String,
}

impl Anchor {
    /// Reads what [`Anchor::fields`] wrote.
    #[must_use]
    pub fn parse(fields: &BTreeMap<String, String>) -> Option<Self> {
        let field = |name: &str| fields.get(name);
        let head = Block {
            block: field("block")?.parse().ok()?,
            hash: field("hash")?.clone(),
            entries: field("entries")?.parse().ok()?,
            sealed_at: field("sealedAt")?.parse().ok()?,
        };
        Some(Self { head, server: field("systemIdentifier")?.clone() })
    }

    /// As people may read it.
    #[must_use]
    pub fn fields(&self, franchise: &str) -> BTreeMap<String, String> {
        [
            ("franchise", franchise.to_owned()),
            ("block", self.head.block.to_string()),
            ("hash", self.head.hash.clone()),
            ("entries", self.head.entries.to_string()),
            ("sealedAt", self.head.sealed_at.to_string()),
            ("systemIdentifier", self.server.clone()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}

impl Seals {
    /// Why the ledger cannot be the one that was anchored, if it cannot. The words depend on the
    /// anchor and the server alone, so that what a person has accepted is known again.
    #[must_use]
    pub fn distrust(&self, namespace: &str, anchor: Option<&Anchor>) -> Option<String> {
        let whys: Vec<String> =
            [self.moved(anchor), self.went_back(namespace, anchor)].into_iter().flatten().collect();
        (!whys.is_empty()).then(|| whys.join("; "))
    }

    fn moved(&self, anchor: Option<&Anchor>) -> Option<String> {
        let known = [anchor.map(|anchor| &anchor.server), self.sealed_on.as_ref()];
        let other = known.into_iter().flatten().find(|known| **known != self.server)?;
        Some(format!(
            "it was sealed on database server {other} and this is server {}, so it is a restored \
             copy or another database",
            self.server
        ))
    }

    fn went_back(&self, namespace: &str, anchor: Option<&Anchor>) -> Option<String> {
        let Block { block, hash, entries, .. } = &anchor?.head;
        let sealed = self.franchises.iter().find(|sealed| sealed.namespace == namespace);
        if sealed.and_then(|sealed| sealed.anchored.as_ref()) == Some(hash) {
            return None;
        }
        let hash: String = hash.chars().take(12).collect();
        Some(format!(
            "it went back in time: block {block} ({hash}) with {entries} entries in all was \
             anchored, and this database does not have it"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(block: i32, hash: &str) -> Block {
        Block { block, hash: hash.to_owned(), entries: 7, sealed_at: Timestamp::UNIX_EPOCH }
    }

    fn anchor(server: &str) -> Anchor {
        Anchor { head: block(12, "3f2a"), server: server.to_owned() }
    }

    /// A ledger on server `a` where the anchored block has this hash.
    fn seals(sealed_on: Option<&str>, anchored: Option<&str>) -> Seals {
        let sealed = Sealed {
            namespace: "omantel".to_owned(),
            frozen: None,
            head: Some(block(20, "77")),
            anchored: anchored.map(str::to_owned),
        };
        let sealed_on = sealed_on.map(str::to_owned);
        Seals { server: "a".to_owned(), sealed_on, franchises: vec![sealed] }
    }

    #[test]
    fn a_ledger_is_trusted_that_holds_what_was_anchored_on_its_own_server() {
        let (back, moved) = ("block 12 (3f2a)", "sealed on database server");
        for (seals, anchor, words) in [
            (seals(Some("a"), Some("3f2a")), Some(anchor("a")), vec![]),
            (seals(Some("a"), None), None, vec![]),
            (seals(None, None), None, vec![]),
            (seals(Some("a"), None), Some(anchor("a")), vec![back]),
            (seals(Some("a"), Some("3f2b")), Some(anchor("a")), vec![back]),
            (seals(Some("b"), Some("3f2a")), Some(anchor("b")), vec![moved]),
            (seals(Some("b"), None), None, vec![moved]),
            // A person accepted this server before, and the anchor is still to follow.
            (seals(Some("a"), Some("3f2a")), Some(anchor("b")), vec![moved]),
            (seals(None, None), Some(anchor("b")), vec![moved, back]),
        ] {
            let said = seals.distrust("omantel", anchor.as_ref());
            assert_eq!(said.is_none(), words.is_empty(), "{said:?}");
            let said = said.unwrap_or_default();
            assert!(words.iter().all(|word| said.contains(word)), "{said}");
        }
    }

    #[test]
    fn an_empty_database_is_not_taken_for_a_ledger_that_was_anchored() {
        let empty = Seals { franchises: vec![], ..seals(None, None) };
        assert!(empty.distrust("omantel", Some(&anchor("a"))).is_some());
        assert_eq!(empty.distrust("omantel", None), None);
    }

    #[test]
    fn an_anchor_is_read_as_it_was_written() {
        let fields = anchor("a").fields("omantel");
        assert_eq!(Anchor::parse(&fields), Some(anchor("a")));
        for name in ["block", "hash", "entries", "sealedAt", "systemIdentifier"] {
            let mut damaged = fields.clone();
            damaged.remove(name);
            assert_eq!(Anchor::parse(&damaged), None, "{name}");
        }
    }
}
