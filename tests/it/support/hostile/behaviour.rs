//! What an API server can do to who talks to it.

/// One way to behave. What is not told about a request is answered plausibly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// Nothing wrong: our operator connects, and can make a Tenant.
    Plausible,
    /// Takes the connection and never speaks TLS.
    NoTls,
    /// Speaks TLS and never answers.
    Silent,
    /// Sends the head, and then a byte a second.
    Drips,
    /// Answers every GET with ten gigabytes, in which an annotation never ends.
    EndlessBody,
    /// Begins a line in every watch that never ends.
    EndlessLine,
    /// Tells in every watch, as fast as it can, that these were modified.
    Flood(Vec<String>),
    /// Says of every list that it goes on.
    EndlessPages,
    /// Puts so many items into every list, of ten megabytes each.
    BigItems(usize),
    /// Answers every GET with JSON of 100,000 levels, where nobody looks for a field.
    DeepFields,
    /// The same in an annotation, which must be a text.
    DeepAnnotations,
    /// Sends everybody on to another server, with this code.
    Redirects(u16),
    /// Knows nobody: 401.
    Unauthorized,
    /// Allows nothing: 403.
    Forbidden,
    /// Somebody else was first at every write: 409.
    Conflicts,
    /// Has no time: this code, and this for `Retry-After`.
    Busy(u16, &'static str),
    /// Refuses every watch with 410.
    WatchGone,
    /// Begins every watch and says inside that it is gone.
    WatchGoneInside,
    /// Sends other types than the schema: numbers for lists, texts for objects.
    WrongTypes,
    /// Is another cluster from this request for kube-system on, counted from 1.
    AnotherCluster(usize),
    /// Says of every object that it was made, and then knows nothing of it.
    Forgets,
    /// Keeps every object, but no quota ever counts.
    NeverCounts,
    /// Refuses everything in words that move the cursor, ring the bell and break the line.
    ControlCharacters,
    /// Refuses everything in a megabyte of words.
    LongMessages,
    /// Sends less than it announced.
    Truncates,
    /// Sends what is not HTTP.
    Garbage,
    /// Is a Kubernetes of long ago.
    OldVersion,
    /// Answers with a page for people, and 200.
    WrongContentType,
    /// Ends the connection inside the head: at each request one line later.
    HangsUp,
    /// Sends a header of a megabyte.
    HugeHeaders,
}

/// What a server can ask callers to wait: a day, for ever, and nothing that is a number.
const WAITS: [&str; 3] = ["86400", "18446744073709551615", "when we reopen"];

impl Behaviour {
    /// All that are not plausible. The flood is about one Namespace.
    pub(crate) fn all() -> Vec<Self> {
        let mut all = vec![
            Self::NoTls,
            Self::Silent,
            Self::Drips,
            Self::EndlessBody,
            Self::EndlessLine,
            Self::Flood(vec!["tenant-kestrel".to_owned()]),
            Self::EndlessPages,
            Self::BigItems(8),
            Self::DeepFields,
            Self::DeepAnnotations,
            Self::Unauthorized,
            Self::Forbidden,
            Self::Conflicts,
            Self::WatchGone,
            Self::WatchGoneInside,
            Self::WrongTypes,
            Self::AnotherCluster(2),
            Self::Forgets,
            Self::NeverCounts,
            Self::ControlCharacters,
            Self::LongMessages,
            Self::Truncates,
            Self::Garbage,
            Self::OldVersion,
            Self::WrongContentType,
            Self::HangsUp,
            Self::HugeHeaders,
        ];
        all.extend([301, 302, 307].map(Self::Redirects));
        for code in [429, 503] {
            all.extend(WAITS.map(|wait| Self::Busy(code, wait)));
        }
        all
    }
}
