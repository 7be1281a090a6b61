//! The documents, word for word: the blocks that they fence, and a terminal to run those that are
//! commands in, as somebody does who copies them.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Stdio,
};

use super::{
    World,
    helm::{chart, tools},
    world::Cluster,
};

/// The fenced blocks of a language, from a heading on.
pub(crate) fn blocks(document: &str, heading: &str, language: &str) -> Vec<String> {
    let text = fs::read_to_string(chart(document)).expect("the document is there");
    let (_, text) = text.split_once(heading).expect("it has that heading");
    let fence = format!("```{language}\n");
    let blocks = text.split(&fence).skip(1);
    blocks.map(|rest| rest.split("```").next().unwrap_or_default().to_owned()).collect()
}

/// The commands in what Helm says after an install, as they stand there: the paragraphs that begin
/// with one.
pub(crate) fn commands_of_notes(printed: &str) -> String {
    let (_, notes) = printed.split_once("\nNOTES:\n").expect("there are notes");
    let is_command = |text: &&str| text.starts_with("kubectl ") || text.starts_with("helm ");
    notes.split("\n\n").filter(is_command).collect::<Vec<_>>().join("\n")
}

/// A terminal of somebody who may do everything on a cluster.
pub(crate) struct Terminal {
    folder: PathBuf,
    home: PathBuf,
    kubeconfig: PathBuf,
    environment: Vec<(&'static str, String)>,
}

impl Terminal {
    /// In a folder of its own, which looks like that of this repository.
    pub(crate) fn on(cluster: &Cluster) -> Self {
        let folder = cluster.kubeconfig.with_extension("terminal");
        fs::create_dir_all(&folder).expect("the folder can be made");
        for part in ["charts", "examples"] {
            // It may be there from another terminal on the same cluster.
            let _there = symlink(chart(part), folder.join(part));
        }
        let (home, kubeconfig) = (folder.clone(), cluster.kubeconfig.clone());
        Self { folder, home, kubeconfig, environment: vec![] }
    }

    /// In another folder.
    pub(crate) fn inside(self, folder: &Path) -> Self {
        Self { folder: folder.to_owned(), ..self }
    }

    /// With a variable that the commands use.
    pub(crate) fn knowing(mut self, name: &'static str, value: String) -> Self {
        self.environment.push((name, value));
        self
    }

    /// A file of its folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Runs commands of which each must work; gives what they print.
    pub(crate) async fn run(&self, commands: &str) -> String {
        self.attempt(commands).await.unwrap_or_else(|said| panic!("{commands}\n{said}"))
    }

    /// Runs commands; gives what they print, or what they say against it.
    pub(crate) async fn attempt(&self, commands: &str) -> Result<String, String> {
        let kubectl = World::program("kubectl");
        let kubectl = kubectl.parent().expect("it is in a folder");
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = tokio::process::Command::new("bash");
        command.args(["-euo", "pipefail", "-c", commands]).current_dir(&self.folder);
        command.env("PATH", format!("{}:{}:{path}", tools().display(), kubectl.display()));
        command.env("KUBECONFIG", &self.kubeconfig).env("HOME", &self.home);
        command.envs(self.environment.iter().cloned()).stdin(Stdio::null()).kill_on_drop(true);
        let output = command.output().await.expect("bash can be started");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() { Ok(printed) } else { Err(said) }
    }
}
