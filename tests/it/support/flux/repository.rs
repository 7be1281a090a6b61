//! A repository as people have it: files, commits, and a remote from which Flux has what was
//! pushed.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use axum::body::Bytes;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::Flux;

/// What is in Git.
const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/flux");

/// A repository, and the object by which Flux knows it.
pub(crate) struct Repository<'a> {
    flux: &'a Flux,
    namespace: &'static str,
    name: &'static str,
    /// Where somebody works on it.
    pub(crate) folder: PathBuf,
}

impl<'a> Repository<'a> {
    /// With a part of the example in it, and nothing pushed.
    pub(super) fn new(
        flux: &'a Flux,
        namespace: &'static str,
        name: &'static str,
        part: &str,
    ) -> Self {
        let folder = flux.folder.join(format!("{namespace}-{name}"));
        copy(&Path::new(EXAMPLE).join(part), &folder);
        let repository = Self { flux, namespace, name, folder };
        let remote = repository.folder.with_extension("git");
        let remote = remote.to_str().expect("it is text");
        repository.git(&["init", "--quiet", "--bare", "--initial-branch=main", remote]);
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository.git(&["remote", "add", "origin", remote]);
        for (key, value) in [("user.name", "Amal"), ("user.email", "amal@omantel.example")] {
            repository.git(&["config", key, value]);
        }
        repository
    }

    /// Writes a file.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.folder.join(path);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("it can be made");
        fs::write(path, text).expect("it can be written");
    }

    /// A file as it is.
    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.folder.join(path)).unwrap_or_else(|why| panic!("{path}: {why}"))
    }

    /// Writes other words where these stand in a file.
    pub(crate) fn edit(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert!(text.contains(from), "{path} does not say {from}:\n{text}");
        self.write(path, &text.replace(from, to));
    }

    /// Removes a file, or a folder with all that is in it.
    pub(crate) fn remove(&self, path: &str) {
        let path = self.folder.join(path);
        let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        removed.expect("it was there");
    }

    /// Puts a part of the example back as it was.
    pub(crate) fn restore(&self, part: &str, path: &str) {
        copy(&Path::new(EXAMPLE).join(part).join(path), &self.folder.join(path));
    }

    /// Commits what stands there and pushes it; gives the revision.
    pub(crate) async fn push(&self) -> String {
        self.commit(&[]);
        self.fetched().await
    }

    /// Puts what stands there into the last commit as well, and pushes that one instead.
    pub(crate) async fn push_again(&self) -> String {
        self.commit(&["--amend"]);
        self.fetched().await
    }

    fn commit(&self, how: &[&str]) {
        self.git(&["add", "--all"]);
        let commit = ["commit", "--quiet", "--allow-empty", "--message=Change what is sold"];
        self.git(&[&commit, how].concat());
        self.git(&["push", "--quiet", "--force", "--set-upstream", "origin", "main"]);
    }

    /// Flux has what was pushed last; gives its revision. Waits for the object if it is not there
    /// yet.
    pub(crate) async fn fetched(&self) -> String {
        let of = (self.namespace, self.name);
        self.flux.until("GitRepository", of, "it is there", |_| true).await;
        let pushed = String::from_utf8(self.git(&["rev-parse", "origin/main"]));
        let commit = pushed.expect("it is a hash").trim().to_owned();
        let archive = self.git(&["archive", "--format=tar.gz", &commit]);
        let path = format!("/{}/{}/{commit}.tar.gz", self.namespace, self.name);
        let revision = format!("main@sha1:{commit}");
        let digest = Bytes::copy_from_slice(&Sha256::digest(&archive));
        let artifact = json!({
            "digest": format!("sha256:{digest:x}"),
            "lastUpdateTime": "2026-11-22T00:00:00Z",
            "path": path,
            "revision": revision,
            "size": archive.len(),
            "url": format!("{}{path}", self.flux.address),
        });
        self.flux.served.lock().expect("nobody panicked").insert(path, archive);
        self.flux.report("GitRepository", of, json!({"artifact": artifact})).await;
        revision
    }

    fn git(&self, arguments: &[&str]) -> Vec<u8> {
        let mut command = Command::new("git");
        // Nobody's own settings.
        for place in ["GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"] {
            command.env(place, "/dev/null");
        }
        let output = command.arg("-C").arg(&self.folder).args(arguments).output();
        let output = output.expect("there is a git");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments:?}: {said}");
        output.stdout
    }
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-rT").args([from, to]).status();
    assert!(copied.expect("there is a cp").success(), "{} is not there", from.display());
}
