//! How each behaviour answers.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::{
    Behaviour,
    plausible::{self, Memory, SYSTEM, list, listed, said, status},
    wire::{Answer, Request, Response},
};

const MEGABYTE: usize = 1 << 20;
const LEVELS: usize = 100_000;
/// Clears the screen, rings, begins a line that looks like one of a log, and more that no message
/// should have: a null, a delete, and a mark that turns the order of letters.
const RUDE: &str = "\u{1b}[2J\u{1b}[31m\u{7}no\r\n{\"level\":\"ERROR\"}\0\u{7f}\u{202e}\u{9b}31m";

/// What there is to an answer besides the request.
pub(super) struct Scene<'a> {
    pub(super) memory: &'a mut Memory,
    /// How often it was asked for kube-system, this time included.
    pub(super) identified: usize,
    /// How many requests there were, this one included.
    pub(super) requests: usize,
    /// Where redirects lead to.
    pub(super) elsewhere: SocketAddr,
}

/// The answer to a request.
pub(super) fn answer(behaviour: &Behaviour, request: &Request, mut scene: Scene<'_>) -> Answer {
    let memory = &mut *scene.memory;
    let refused = |code, message: &str| Answer::Whole(status(code, message));
    match behaviour {
        Behaviour::Plausible => memory.answer(request),
        // Too late for this connection, which ends.
        Behaviour::NoTls => Answer::Raw(vec![]),
        Behaviour::Silent => Answer::Silence,
        Behaviour::Drips => Answer::Drip(memory.response(request)),
        Behaviour::Redirects(code) => Answer::Whole(redirect(*code, request, scene.elsewhere)),
        Behaviour::Unauthorized => refused((401, "Unauthorized"), "Unauthorized"),
        Behaviour::Forbidden => refused((403, "Forbidden"), "you may not do this"),
        Behaviour::ControlCharacters => refused((403, "Forbidden"), RUDE),
        Behaviour::LongMessages => refused((403, "Forbidden"), &"no ".repeat(MEGABYTE / 3)),
        Behaviour::Busy(code, wait) => Answer::Whole(busy(*code, wait)),
        Behaviour::WrongTypes => Answer::Whole(said(200, &wrong_types(request))),
        Behaviour::Truncates => Answer::Raw(truncated(&memory.response(request))),
        Behaviour::Garbage => Answer::Raw(garbage()),
        Behaviour::WrongContentType => Answer::Whole(page()),
        Behaviour::HangsUp => Answer::Raw(cut(&memory.response(request), scene.requests)),
        Behaviour::HugeHeaders => Answer::Whole(huge_headers(memory.response(request))),
        _ => sometimes(behaviour, request, &mut scene),
    }
}

/// The answer of those that do it to some requests only.
fn sometimes(behaviour: &Behaviour, request: &Request, scene: &mut Scene<'_>) -> Answer {
    let memory = &mut *scene.memory;
    let is_list = listed(&request.path).is_some() && !request.is_write() && !request.is_watch();
    match behaviour {
        Behaviour::EndlessBody if !request.is_write() => endless(named(""), 10 << 30),
        Behaviour::DeepFields if !request.is_write() => deep(("\"x\":", "")),
        Behaviour::DeepAnnotations if !request.is_write() => {
            deep(("\"metadata\":{\"annotations\":", "}"))
        }
        Behaviour::EndlessLine if request.is_watch() => {
            endless(named("{\"type\":\"ADDED\",\"object\":"), usize::MAX)
        }
        Behaviour::Flood(names) if request.is_watch() => flood(request, names),
        Behaviour::EndlessPages if is_list => {
            let more = json!({"resourceVersion": "1", "continue": scene.requests.to_string()});
            Answer::Whole(said(200, &list(request, &more, &[])))
        }
        Behaviour::BigItems(count) if is_list => big_items(*count),
        Behaviour::Conflicts if request.is_write() => {
            Answer::Whole(status((409, "Conflict"), "the object has been modified"))
        }
        Behaviour::WatchGone if request.is_watch() => {
            Answer::Whole(status((410, "Expired"), "too old resource version"))
        }
        Behaviour::WatchGoneInside if request.is_watch() => gone_inside(),
        Behaviour::OldVersion if request.path == "/version" => {
            Answer::Whole(said(200, &plausible::version("v1.19.0")))
        }
        Behaviour::AnotherCluster(from) if request.path == SYSTEM => {
            let mut response = memory.response(request);
            if scene.identified >= *from {
                let own = String::from_utf8_lossy(&response.body).into_owned();
                response.body = own.replace("00000000-0000", "ffffffff-0000").into_bytes();
            }
            Answer::Whole(response)
        }
        Behaviour::Forgets if request.is_write() && !request.path.ends_with("reviews") => {
            Answer::Whole(Memory::new().response(request))
        }
        Behaviour::NeverCounts => never_counting(memory.answer(request)),
        _ => memory.answer(request),
    }
}

/// The beginning of a Namespace, in the middle of an annotation.
fn named(before: &str) -> Vec<u8> {
    format!(
        "{before}{{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\
         \"metadata\":{{\"name\":\"kube-system\",\"annotations\":{{\"a\":\""
    )
    .into_bytes()
}

fn endless(first: Vec<u8>, bytes: usize) -> Answer {
    let again = vec![b'a'; MEGABYTE / 16];
    let times = bytes / again.len();
    Answer::Repeated { first, again, times, last: b"\"}}}".to_vec() }
}

fn big_items(count: usize) -> Answer {
    let item = [&*named(""), &vec![b'a'; 10 * MEGABYTE], b"\"}}},"].concat();
    Answer::Repeated {
        first: b"{\"apiVersion\":\"v1\",\"kind\":\"List\",\
                 \"metadata\":{\"resourceVersion\":\"1\"},\"items\":["
            .to_vec(),
        again: item,
        times: count,
        last: b"{\"metadata\":{\"name\":\"last\"}}]}".to_vec(),
    }
}

/// A Namespace with so many levels of JSON inside of what is given.
fn deep((before, after): (&str, &str)) -> Answer {
    let (open, close) = ("{\"x\":".repeat(LEVELS), "}".repeat(LEVELS));
    let body = format!("{{\"kind\":\"Namespace\",{before}{open}1{close}{after}}}");
    let headers = vec![("Content-Type", "application/json".to_owned())];
    Answer::Whole(Response { code: 200, headers, body: body.into_bytes() })
}

fn flood(request: &Request, names: &[String]) -> Answer {
    let kind = if request.is_partial() { "PartialObjectMetadata" } else { "Namespace" };
    let version = if request.is_partial() { "meta.k8s.io/v1" } else { "v1" };
    let events = names.iter().map(|name| {
        let metadata = json!({"name": name, "uid": name, "resourceVersion": "2"});
        let object = json!({"apiVersion": version, "kind": kind, "metadata": metadata});
        json!({"type": "MODIFIED", "object": object}).to_string() + "\n"
    });
    let again = events.collect::<String>().into_bytes();
    Answer::Repeated { first: vec![], again, times: usize::MAX, last: vec![] }
}

fn gone_inside() -> Answer {
    let gone = status((410, "Expired"), "too old resource version");
    let gone = String::from_utf8(gone.body).expect("it is JSON");
    Answer::Quiet(format!("{{\"type\":\"ERROR\",\"object\":{gone}}}\n").into_bytes())
}

fn redirect(code: u16, request: &Request, elsewhere: SocketAddr) -> Response {
    let to = format!("https://{elsewhere}{}?{}", request.path, request.query);
    Response { code, headers: vec![("Location", to)], body: vec![] }
}

fn busy(code: u16, wait: &str) -> Response {
    let reason = if code == 429 { "TooManyRequests" } else { "ServiceUnavailable" };
    let mut response = status((code, reason), "try again later");
    response.headers.push(("Retry-After", wait.to_owned()));
    response
}

fn wrong_types(request: &Request) -> Value {
    if request.path == "/version" {
        json!({"major": {}, "minor": [], "gitVersion": 7})
    } else if listed(&request.path).is_some() {
        json!({"kind": "List", "apiVersion": "v1", "metadata": "none", "items": 7})
    } else {
        json!({"kind": 7, "apiVersion": ["v1"], "metadata": "a string", "status": "fine"})
    }
}

/// A thousand bytes less than the head says.
fn truncated(whole: &Response) -> Vec<u8> {
    let announced = format!("Content-Length: {}", whole.body.len());
    let more = format!("Content-Length: {}", whole.body.len() + 1000);
    [whole.head().replace(&announced, &more).as_bytes(), &whole.body].concat()
}

fn garbage() -> Vec<u8> {
    (0..4096_u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect()
}

fn page() -> Response {
    let page = "<!doctype html><title>Sign in</title><p>Sign in to your cluster.";
    let headers = vec![("Content-Type", "text/html".to_owned())];
    Response { code: 200, headers, body: page.into() }
}

/// The first lines of a head: at each request one more.
fn cut(whole: &Response, requests: usize) -> Vec<u8> {
    let head = whole.head();
    let lines: Vec<&str> = head.split_inclusive("\r\n").collect();
    // The last line is the empty one, with which the head would be whole.
    lines[..requests % lines.len()].concat().into_bytes()
}

fn huge_headers(mut whole: Response) -> Response {
    whole.headers.push(("Warning", "x".repeat(MEGABYTE)));
    whole
}

/// Takes the count out of a quota.
fn never_counting(answer: Answer) -> Answer {
    let Answer::Whole(mut response) = answer else { return answer };
    let mut body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    if body["kind"] == "ResourceQuota" {
        body["status"] = json!({"hard": {"pods": "0"}});
        response.body = body.to_string().into_bytes();
    }
    Answer::Whole(response)
}
