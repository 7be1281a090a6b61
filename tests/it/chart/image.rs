//! The image: what it is made of, and that the program starts from nothing but what is in it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::support::chart;

const PROGRAM: &str = env!("CARGO_BIN_EXE_catalyst-operator");

/// Runs a command that must work; gives what it prints.
fn run(command: &mut Command) -> String {
    let output = command.output().expect("it can be started");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Makes an image of the program of the tests.
fn image(folder: &Path, name: &str) -> PathBuf {
    let file = folder.join(name);
    let mut layout = Command::new(chart("image/layout"));
    // Whenever the last commit was.
    run(layout.env("SOURCE_DATE_EPOCH", "1795000000").arg(PROGRAM).arg(&file));
    file
}

/// What a descriptor describes, which is what it says.
fn blob(layout: &Path, descriptor: &Value) -> PathBuf {
    let digest = descriptor["digest"].as_str().expect("it has a digest");
    let digest = digest.strip_prefix("sha256:").expect("it is of that kind");
    let path = layout.join("blobs/sha256").join(digest);
    let content = fs::read(&path).expect("it is in the layout");
    assert_eq!(hex(&content), digest);
    assert_eq!(descriptor["size"], content.len());
    path
}

fn hex(content: &[u8]) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).expect("it is there")).expect("it is JSON")
}

fn unpack(file: &Path, folder: &Path) {
    fs::create_dir_all(folder).expect("it can be made");
    run(Command::new("tar")
        .arg("--extract")
        .arg("--file")
        .arg(file)
        .arg("--directory")
        .arg(folder));
}

/// Runs the program with nothing but these files, as the image's own user where we may.
fn start(root: &Path, argument: &str) -> String {
    let is_root = run(Command::new("id").arg("--user")) == "0";
    let mut command = Command::new(if is_root { "chroot" } else { "unshare" });
    if is_root {
        command.arg("--userspec=65532:65532");
    } else {
        command.args(["--map-root-user", "chroot"]);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    command.env_clear().env("PATH", path).arg(root);
    run(command.args(["/catalyst-operator", argument]))
}

#[test]
fn an_image_is_the_same_every_time_and_the_program_starts_from_it_alone() {
    let folder = std::env::temp_dir().join(format!("catalyst-image-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("it can be made");
    let first = image(&folder, "first.tar");
    assert!(fs::read(&first).ok() == fs::read(image(&folder, "second.tar")).ok(), "it differs");

    let layout = folder.join("layout");
    unpack(&first, &layout);
    let index = json(&layout.join("index.json"));
    let manifest = json(&blob(&layout, &index["manifests"][0]));
    let config = json(&blob(&layout, &manifest["config"]));
    assert_eq!(config["config"]["User"], "65532:65532");
    assert_eq!(config["config"]["Entrypoint"], serde_json::json!(["/catalyst-operator"]));
    let layer = blob(&layout, &manifest["layers"][0]);
    let plain = Command::new("gzip").args(["--decompress", "--stdout"]).arg(&layer).output();
    let diff_id = format!("sha256:{}", hex(&plain.expect("there is a gzip").stdout));
    assert_eq!(config["rootfs"]["diff_ids"], serde_json::json!([diff_id]));

    let root = folder.join("root");
    unpack(&layer, &root);
    let version = concat!("catalyst-operator ", env!("CARGO_PKG_VERSION"));
    assert_eq!(start(&root, "--version"), version);
    assert!(start(&root, "crds").contains("tenants.catalyst.openova.io"));
    fs::remove_dir_all(&folder).expect("it is ours");
}
