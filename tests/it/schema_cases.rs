//! Objects and edits that the API server must accept or refuse, with what it must say.
//!
//! Independent of any harness. Send each with strict field validation: create `object`, or, where
//! there is a `before`, create that and then replace it with `object`.

use serde_json::Value;

mod sovereign;
mod tenant;
mod voucher;

/// One object, or one edit, and the verdict that it must get.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    /// What stands on the server before, without which this is a creation.
    pub(crate) before: Option<Value>,
    pub(crate) object: Value,
    /// A part of the server's message; `None` where the object must be accepted.
    pub(crate) refused_with: Option<&'static str>,
}

/// Every case, of all three kinds.
pub(crate) fn cases() -> Vec<Case> {
    [sovereign::cases(), tenant::cases(), voucher::cases()].into_iter().flatten().collect()
}

/// The cases of one kind, in the making.
struct Cases {
    kind: &'static str,
    list: Vec<Case>,
}

impl Cases {
    fn of(kind: &'static str) -> Self {
        Self { kind, list: Vec::new() }
    }

    fn accept(&mut self, name: impl Into<String>, object: Value) {
        self.push(name, None, object, None);
    }

    fn refuse(&mut self, name: impl Into<String>, object: Value, message: &'static str) {
        self.push(name, None, object, Some(message));
    }

    fn accept_edit(&mut self, name: impl Into<String>, before: Value, object: Value) {
        self.push(name, Some(before), object, None);
    }

    fn refuse_edit(
        &mut self,
        name: impl Into<String>,
        before: Value,
        object: Value,
        message: &'static str,
    ) {
        self.push(name, Some(before), object, Some(message));
    }

    fn push(
        &mut self,
        name: impl Into<String>,
        before: Option<Value>,
        object: Value,
        refused_with: Option<&'static str>,
    ) {
        self.list.push(Case { name: name.into(), kind: self.kind, before, object, refused_with });
    }
}

/// Sets the value at a JSON pointer; its parent must exist, and the end of a list is `-`.
trait Set {
    #[must_use]
    fn set(self, pointer: &str, value: impl Into<Value>) -> Self;
    #[must_use]
    fn unset(self, pointer: &str) -> Self;
}

impl Set for Value {
    fn set(mut self, pointer: &str, value: impl Into<Value>) -> Self {
        let (parent, key) = pointer.rsplit_once('/').expect("a pointer begins with a slash");
        match self.pointer_mut(parent).expect("the parent exists") {
            Value::Array(items) if key == "-" => items.push(value.into()),
            parent => parent[key] = value.into(),
        }
        self
    }

    fn unset(mut self, pointer: &str) -> Self {
        let (parent, key) = pointer.rsplit_once('/').expect("a pointer begins with a slash");
        let parent = self.pointer_mut(parent).and_then(Value::as_object_mut);
        parent.expect("the parent exists").remove(key).expect("it was set");
        self
    }
}
