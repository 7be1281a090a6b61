//! The text as a tree of values, in which nothing refers to anything else.

use serde_yaml::{Mapping, Value};

use super::scan;
use crate::domain::reason::Reason;

/// The longest kubeconfig, in bytes.
pub(super) const SIZE_MAX: usize = 65_536;
/// How much is shown of a text that somebody else wrote, in characters.
const SHOWN_MAX: usize = 120;

/// A text of somebody else for a message: its beginning, in characters that only look like
/// themselves.
pub(super) fn shown(text: &str) -> String {
    let visible = |c: char| if c == ' ' || c.is_ascii_graphic() { c } else { '?' };
    let mut shown: String = text.chars().take(SHOWN_MAX).map(visible).collect();
    if text.chars().nth(SHOWN_MAX).is_some() {
        shown.push_str("...");
    }
    shown
}

/// A file that cannot be read, and why.
pub(super) fn unreadable(why: impl Into<String>) -> Reason {
    Reason::KubeconfigUnreadable { why: why.into() }
}

/// Reads one document of YAML or JSON.
///
/// # Errors
/// It is too large, none, or has what refers to something else.
pub(super) fn read(text: &[u8]) -> Result<Value, Reason> {
    if text.len() > SIZE_MAX {
        return Err(Reason::KubeconfigTooLarge { size: text.len() });
    }
    let text = std::str::from_utf8(text).map_err(|_| unreadable("it is not UTF-8"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // Some readers end a line at these, and some a file.
    let is_odd = |c: char| {
        (c.is_control() && !['\n', '\r', '\t'].contains(&c))
            || ['\u{2028}', '\u{2029}', '\u{feff}'].contains(&c)
    };
    if text.contains(is_odd) {
        return Err(unreadable("it has control characters"));
    }
    scan::check(text)?;
    let tree = serde_yaml::from_str(text).map_err(|error| unreadable(shown(&error.to_string())))?;
    plain(&tree, "it")?;
    Ok(tree)
}

/// Checks that keys are texts, and that nothing in the tree merges or says more than it shows. How
/// deep it is, the YAML library has bounded.
fn plain(value: &Value, name: &str) -> Result<(), Reason> {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
        Value::Tagged(_) => Err(Reason::KubeconfigHasAliases {}),
        Value::String(text) => {
            let may_break = name == "token" || name.ends_with("-data");
            let is_odd = |c: char| c.is_control() && !(may_break && ['\n', '\r'].contains(&c));
            let why = || unreadable(format!("{} has control characters", shown(name)));
            if text.contains(is_odd) { Err(why()) } else { Ok(()) }
        }
        Value::Sequence(items) => items.iter().try_for_each(|item| plain(item, name)),
        Value::Mapping(fields) => fields.iter().try_for_each(|(key, value)| {
            let why = || unreadable(format!("{} has a key that is not text", shown(name)));
            let key = key.as_str().ok_or_else(why)?;
            if key == "<<" {
                return Err(Reason::KubeconfigHasAliases {});
            }
            if key.contains(char::is_control) {
                return Err(unreadable(format!("{} has control characters", shown(key))));
            }
            plain(value, key)
        }),
    }
}

/// The fields of one mapping, under the name that messages call it by.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    name: &'static str,
    fields: &'a Mapping,
}

impl<'a> Fields<'a> {
    /// The fields of a value.
    ///
    /// # Errors
    /// It is no mapping.
    pub(super) fn of(name: &'static str, value: &'a Value) -> Result<Self, Reason> {
        let why = || unreadable(format!("{name} is not a mapping"));
        Ok(Self { name, fields: value.as_mapping().ok_or_else(why)? })
    }

    /// Checks that there are no fields but these.
    ///
    /// # Errors
    /// Names the one that there is.
    pub(super) fn only(self, known: &[&str]) -> Result<Self, Reason> {
        let mut keys = self.fields.keys().filter_map(Value::as_str);
        match keys.find(|key| !known.contains(key)) {
            None => Ok(self),
            Some(key) => {
                Err(unreadable(format!("{} has the unknown field {}", self.name, shown(key))))
            }
        }
    }

    /// The value of a field; none if it is null.
    pub(super) fn get(self, key: &str) -> Option<&'a Value> {
        self.fields.get(key).filter(|value| !value.is_null())
    }

    /// The text of a field; none if it is null or empty.
    ///
    /// # Errors
    /// It is no text.
    pub(super) fn text(self, key: &str) -> Result<Option<&'a str>, Reason> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let why = || unreadable(format!("{key} of {} is not text: put it in quotes", self.name));
        value.as_str().ok_or_else(why).map(|text| Some(text).filter(|text| !text.is_empty()))
    }

    /// The text of a field that must be there.
    ///
    /// # Errors
    /// It is no text, or there is none.
    pub(super) fn needed(self, key: &str) -> Result<&'a str, Reason> {
        self.text(key)?.ok_or_else(|| unreadable(format!("{} has no {key}", self.name)))
    }

    /// The fields of the field of that name.
    ///
    /// # Errors
    /// They are no mapping, or not there.
    pub(super) fn inner(self, key: &'static str) -> Result<Self, Reason> {
        let value = self.get(key);
        Self::of(key, value.ok_or_else(|| unreadable(format!("{} has no {key}", self.name)))?)
    }

    /// The only item of a list.
    ///
    /// # Errors
    /// It is no list, or has another number of items.
    pub(super) fn only_one(self, key: &'static str) -> Result<Self, Reason> {
        let items = match self.get(key) {
            None => &[],
            Some(Value::Sequence(items)) => items.as_slice(),
            Some(_) => return Err(unreadable(format!("{key} is not a list"))),
        };
        match items {
            [item] => Self::of(key, item),
            _ => Err(Reason::KubeconfigNotOne { what: key.to_owned(), count: items.len() }),
        }
    }
}
