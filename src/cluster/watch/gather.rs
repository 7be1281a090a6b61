//! Watches of one kind in several namespaces, as if they were one: whoever keeps a copy takes a
//! list for the whole, so what each of them lists cannot be passed on as it comes.

use std::{collections::HashMap, mem};

use kube::{ResourceExt as _, runtime::watcher::Event};

use super::{Heard, Watchable};

/// What is known of every namespace.
pub(super) struct Gathered<K> {
    parts: Vec<Part<K>>,
    /// Whether the first list of all was passed on.
    has_begun: bool,
}

/// What is known of one.
struct Part<K> {
    /// Whether it was listed, or may not be.
    has_answered: bool,
    was_listed: bool,
    known: Objects<K>,
    /// A list that has not ended.
    listed: Objects<K>,
}

type Objects<K> = HashMap<String, K>;

impl<K: Watchable> Gathered<K> {
    /// Nothing is known yet of so many namespaces.
    pub(super) fn of(parts: usize) -> Self {
        let unknown = || Part {
            has_answered: false,
            was_listed: false,
            known: Objects::new(),
            listed: Objects::new(),
        };
        Self { parts: (0..parts).map(|_| unknown()).collect(), has_begun: false }
    }

    /// What is to be passed on of what was heard of one of them. That it may not be listed says
    /// nothing of what is in it; the others do not wait for it. Where none may be, all wait.
    pub(super) fn take(&mut self, part: usize, heard: Heard<K>) -> Vec<Event<K>> {
        let Some(part) = self.parts.get_mut(part) else { return vec![] };
        let news = match heard {
            Heard::Refused => {
                part.has_answered = true;
                vec![]
            }
            Heard::Event(event) => part.hear(event),
        };
        if self.has_begun {
            return news;
        }
        let has_any = self.parts.iter().any(|part| part.was_listed);
        self.has_begun = has_any && self.parts.iter().all(|part| part.has_answered);
        if self.has_begun { self.all() } else { vec![] }
    }

    /// The first list.
    fn all(&self) -> Vec<Event<K>> {
        let known = self.parts.iter().flat_map(|part| part.known.values());
        let listed = known.cloned().map(Event::InitApply);
        [Event::Init].into_iter().chain(listed).chain([Event::InitDone]).collect()
    }
}

impl<K: Watchable> Part<K> {
    /// Notes it; gives what changed.
    fn hear(&mut self, event: Event<K>) -> Vec<Event<K>> {
        match event {
            Event::Init => self.listed.clear(),
            Event::InitApply(object) => {
                self.listed.insert(object.name_any(), object);
            }
            Event::InitDone => {
                (self.has_answered, self.was_listed) = (true, true);
                let listed = mem::take(&mut self.listed);
                let gone = mem::replace(&mut self.known, listed);
                let gone = gone.into_iter().filter(|(name, _)| !self.known.contains_key(name));
                let gone = gone.map(|(_, object)| Event::Delete(object));
                return gone.chain(self.known.values().cloned().map(Event::Apply)).collect();
            }
            Event::Apply(object) => {
                self.known.insert(object.name_any(), object.clone());
                return vec![Event::Apply(object)];
            }
            Event::Delete(object) => {
                self.known.remove(&object.name_any());
                return vec![Event::Delete(object)];
            }
        }
        vec![]
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ConfigMap;

    use super::*;

    fn object(name: &str) -> ConfigMap {
        let mut object = ConfigMap::default();
        object.metadata.name = Some(name.to_owned());
        object
    }

    fn said(events: Vec<Event<ConfigMap>>) -> Vec<String> {
        let say = |event: Event<ConfigMap>| match event {
            Event::Init => "init".to_owned(),
            Event::InitApply(object) => format!("init {}", object.name_any()),
            Event::InitDone => "done".to_owned(),
            Event::Apply(object) => format!("+{}", object.name_any()),
            Event::Delete(object) => format!("-{}", object.name_any()),
        };
        let mut said: Vec<String> = events.into_iter().map(say).collect();
        if let [first, names @ .., last] = said.as_mut_slice()
            && (first.as_str(), last.as_str()) == ("init", "done")
        {
            names.sort();
        } else {
            said.sort();
        }
        said
    }

    /// One of two namespaces, and what is passed on of what is heard of it.
    fn hear(gathered: &mut Gathered<ConfigMap>, part: usize, heard: Heard<ConfigMap>) -> String {
        said(gathered.take(part, heard)).join(" ")
    }

    fn list(gathered: &mut Gathered<ConfigMap>, part: usize, names: &[&str]) -> String {
        assert_eq!(hear(gathered, part, Heard::Event(Event::Init)), "");
        for name in names {
            assert_eq!(hear(gathered, part, Heard::Event(Event::InitApply(object(name)))), "");
        }
        hear(gathered, part, Heard::Event(Event::InitDone))
    }

    #[test]
    fn the_first_list_is_that_of_all_and_has_what_happened_meanwhile() {
        let mut two = Gathered::of(2);
        assert_eq!(list(&mut two, 0, &["a", "b", "c"]), "");
        assert_eq!(hear(&mut two, 0, Heard::Event(Event::Delete(object("b")))), "");
        assert_eq!(hear(&mut two, 0, Heard::Event(Event::Apply(object("d")))), "");
        assert_eq!(list(&mut two, 1, &["e"]), "init init a init c init d init e done");
        assert_eq!(hear(&mut two, 0, Heard::Event(Event::Apply(object("f")))), "+f");
        assert_eq!(hear(&mut two, 1, Heard::Event(Event::Delete(object("e")))), "-e");
    }

    #[test]
    fn a_list_that_is_made_anew_is_told_as_what_changed() {
        let mut two = Gathered::of(2);
        list(&mut two, 0, &["a", "b"]);
        list(&mut two, 1, &["c"]);
        assert_eq!(list(&mut two, 0, &["b", "d"]), "+b +d -a");
        assert_eq!(list(&mut two, 0, &["b", "d"]), "+b +d");
    }

    #[test]
    fn where_none_may_be_listed_nothing_begins() {
        let mut two = Gathered::of(2);
        assert_eq!(hear(&mut two, 0, Heard::Refused), "");
        assert_eq!(hear(&mut two, 1, Heard::Refused), "");
        assert_eq!(list(&mut two, 1, &["a"]), "init init a done");
    }

    #[test]
    fn one_that_may_not_be_listed_keeps_no_other_waiting_and_loses_nothing() {
        let mut two = Gathered::of(2);
        assert_eq!(list(&mut two, 0, &["a"]), "");
        assert_eq!(hear(&mut two, 1, Heard::Refused), "init init a done");
        assert_eq!(list(&mut two, 1, &["b"]), "+b");
        assert_eq!(hear(&mut two, 1, Heard::Refused), "", "what is known of it stays");
        assert_eq!(list(&mut two, 1, &["b"]), "+b");
    }
}
