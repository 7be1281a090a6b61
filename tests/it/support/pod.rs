//! A container as its pod's manifest describes it, run on this machine: the manifest's arguments,
//! its environment, the files that it mounts, and a token of its service account.

use std::{collections::BTreeMap, fs, path::PathBuf};

use k8s_openapi::api::{
    authentication::v1::{TokenRequest, TokenRequestSpec},
    core::v1::{Container, Pod, Secret, ServiceAccount, Volume},
};
use kube::{Api, Client, ResourceExt as _, api::PostParams};

use super::{Database, Installed, Operator, World, hub_client, operator};

/// What a container is started with.
pub(crate) struct Started {
    pub(crate) installed: Installed,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
}

impl Started {
    /// Starts it.
    pub(crate) fn start(&self) -> Operator {
        let environment = self.environment.iter().map(|(name, value)| (&**name, &**value));
        self.installed.start_with(&self.arguments, &environment.collect::<Vec<_>>())
    }
}

/// Makes what a kubelet makes for a container of a pod.
pub(crate) async fn prepare(world: &World, ledger: &Database, pod: &Pod, name: &str) -> Started {
    let client = hub_client(world).await;
    let hub = &world.hub().kubeconfig;
    let folder = hub.with_file_name(format!("{}-{name}", pod.name_any()));
    let spec = pod.spec.as_ref().expect("a pod has a spec");
    let mut containers = spec.init_containers.iter().flatten().chain(&spec.containers);
    let container = containers.find(|it| it.name == name).expect("the pod has that container");
    let volumes = spec.volumes.as_deref().unwrap_or_default();
    let mut mounted = BTreeMap::new();
    for mount in container.volume_mounts.iter().flatten() {
        let volume = volumes.iter().find(|volume| volume.name == mount.name);
        let files = files(&client, pod, volume.expect("what is mounted is a volume")).await;
        let place = folder.join(&mount.name);
        fs::create_dir_all(&place).expect("the folder can be written");
        for (path, content) in files {
            fs::write(place.join(path), content).expect("the folder can be written");
        }
        mounted.insert(mount.mount_path.clone(), place);
    }
    let kubeconfig = folder.with_extension("kubeconfig");
    let place = mounted.get("/var/run/secrets/kubernetes.io/serviceaccount");
    let token = place.map(|place| fs::read_to_string(place.join("token")).expect("it is there"));
    // Where a pod finds the API server is fixed; a process beside others is told.
    operator::write_kubeconfig(hub, &kubeconfig, &token.unwrap_or_default());
    let environment = environment(pod, container, &mounted);
    let url = environment.iter().find(|(name, _)| name == "DATABASE_URL");
    Started {
        installed: Installed {
            login_url: url.expect("it is told where the ledger is").1.clone(),
            database_url: ledger.url.clone(),
            log: folder.with_extension("log"),
            kubeconfig,
        },
        arguments: container.args.clone().unwrap_or_default(),
        environment,
    }
}

/// The environment, with what is mounted where this machine has it.
fn environment(
    pod: &Pod,
    container: &Container,
    mounted: &BTreeMap<String, PathBuf>,
) -> Vec<(String, String)> {
    let value = |value: &str| {
        mounted.iter().fold(value.to_owned(), |value, (path, place)| {
            value.replace(path, place.to_str().expect("it is text"))
        })
    };
    let set = container.env.iter().flatten().map(|var| match (&var.value, &var.value_from) {
        (Some(plain), None) => (var.name.clone(), value(plain)),
        (None, Some(source)) => {
            let field = source.field_ref.as_ref().expect("secrets come as files");
            let value = match field.field_path.as_str() {
                "metadata.namespace" => pod.namespace().expect("a pod has a namespace"),
                "metadata.name" => pod.name_any(),
                other => panic!("{} is {other}", var.name),
            };
            (var.name.clone(), value)
        }
        _ => panic!("{} has no value", var.name),
    });
    let name = ("HOSTNAME".to_owned(), pod.name_any());
    // Ports of this machine are for all tests.
    let port = ("CATALYST_METRICS_ADDR".to_owned(), "127.0.0.1:0".to_owned());
    set.chain([name, port]).collect()
}

/// The files of a volume, by their path in it.
async fn files(client: &Client, pod: &Pod, volume: &Volume) -> Vec<(String, Vec<u8>)> {
    let namespace = pod.namespace().expect("a pod has a namespace");
    if let Some(source) = &volume.secret {
        let name = source.secret_name.as_deref().expect("it names a Secret");
        let secrets: Api<Secret> = Api::namespaced(client.clone(), &namespace);
        let secret = secrets.get(name).await.unwrap_or_else(|why| panic!("{name}: {why}"));
        let data = secret.data.unwrap_or_default();
        let items = source.items.iter().flatten();
        return items.map(|item| (item.path.clone(), data[&item.key].0.clone())).collect();
    }
    let projected = volume.projected.as_ref().expect("it is a Secret or projected");
    let tokens =
        projected.sources.iter().flatten().filter_map(|it| it.service_account_token.as_ref());
    let mut files = vec![];
    for wanted in tokens {
        let spec = TokenRequestSpec {
            expiration_seconds: wanted.expiration_seconds,
            ..TokenRequestSpec::default()
        };
        let request = TokenRequest { spec, ..TokenRequest::default() };
        let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), &namespace);
        let name = pod.spec.as_ref().and_then(|spec| spec.service_account_name.as_deref());
        let name = name.expect("it has an account of its own");
        let made = accounts.create_token_request(name, &PostParams::default(), &request).await;
        let token = made.expect("a token can be had").status.expect("it is in the answer").token;
        files.push((wanted.path.clone(), token.into_bytes()));
    }
    files
}
