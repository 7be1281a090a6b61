//! The databases that the chart can be told of.

use std::{
    fs::{self, File, Permissions},
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Stdio},
};

use catalyst_operator::store::Store;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::json;

use super::render::{look, render};
use crate::support::{
    Database, Installed, Operator, World, chart, database, empty_database, manifests, quiet_world,
};

/// A database server, and nothing else.
fn server() -> World {
    World::untouched(&["--no-cluster"])
}

/// The program in a pod that is told of the ledger by this URL.
fn told(ledger: &Database, url: &str) -> Installed {
    let folder = tempfile(&ledger.url);
    fs::create_dir_all(&folder).expect("it can be made");
    Installed {
        login_url: url.to_owned(),
        database_url: ledger.url.clone(),
        kubeconfig: folder.join("none"),
        log: folder.join("log"),
    }
}

fn tempfile(url: &str) -> std::path::PathBuf {
    let port = url.rsplit(':').next().unwrap_or_default().replace('/', "-");
    std::env::temp_dir().join(format!("catalyst-database-{}-{port}", std::process::id()))
}

/// A ledger in this database may be made and used by this user.
async fn serves(ledger: &Database, url: &str, login: &str) {
    let migrate = told(ledger, url).start_with(&["migrate".to_owned()], &[]);
    assert!(migrate.ended().await.success(), "{}", migrate.logged());
    let store = Store::new(login, 1).expect("it is a URL");
    assert!(!store.check().await.expect("the ledger serves"), "it is durable");
    store.close().await;
    fs::remove_dir_all(tempfile(&ledger.url)).expect("it is ours");
}

#[tokio::test]
async fn the_owner_that_cloudnative_pg_makes_may_do_all_that_it_takes() {
    let world = server();
    let ledger = empty_database(&world).await;
    let values = json!({"postgres": {"existingSecret": {"name": ""}, "cnpg": {"enabled": true}}});
    let manifests = manifests(&render(&values).expect("it renders"));
    let object = "Cluster/catalyst-operator-ledger";
    let init = look(&manifests, object, "spec/bootstrap/initdb");
    let (_, database) = ledger.url.rsplit_once('/').expect("it ends with a database");
    let owner = init["owner"].as_str().expect("it has an owner");
    // What CloudNativePG does with these fields, in its order.
    ledger.mutate(&format!("create role {owner} login password 'p@ss'")).await;
    ledger.mutate(&format!("alter database {database} owner to {owner}")).await;
    let (_, server) = ledger.url.split_once('@').expect("it names a user");
    let url = format!("postgresql://{owner}:p%40ss@{server}");
    let before = told(&ledger, &url).start_with(&["migrate".to_owned()], &[]);
    before.logs("with a user who may make roles and schemas in it").await;
    before.kill();
    for sql in init["postInitApplicationSQL"].as_array().expect("it is a list") {
        ledger.mutate(sql.as_str().expect("it is SQL")).await;
    }
    serves(&ledger, &url, &url).await;
}

#[tokio::test]
async fn a_password_of_settings_comes_from_a_file() {
    let world = server();
    let ledger = empty_database(&world).await;
    ledger.mutate("create role amal superuser login password 'a b/@:%'").await;
    let (_, server) = ledger.url.split_once('@').expect("it names a user");
    let folder = tempfile("password");
    fs::write(&folder, "a b/@:%\n").expect("it can be written");
    let url = format!("postgresql://amal:{{{}}}@{server}", folder.display());
    serves(&ledger, &url, &ledger.url).await;
    fs::remove_file(&folder).expect("it is ours");
}

/// Writes the certificate and the key of a server for this name, and that of their authority.
fn certify(folder: &Path, name: &str) {
    fs::create_dir_all(folder).expect("it can be made");
    let new_key = || KeyPair::generate().expect("a key can be made");
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, new_key()).expect("it signs itself");
    let key = new_key();
    let params = CertificateParams::new([name.to_owned()]).expect("it is a name");
    let certificate = params.signed_by(&key, &issuer).expect("it is signed");
    for (file, text) in
        [("ca.crt", issuer.pem()), ("tls.crt", certificate.pem()), ("tls.key", key.serialize_pem())]
    {
        fs::write(folder.join(file), text).expect("it can be written");
    }
    let key = folder.join("tls.key");
    fs::set_permissions(&key, Permissions::from_mode(0o600)).expect("it is ours");
    // Where the tests are root, the server is another user, and takes no key that others may read;
    // elsewhere this is refused, and the key is the server's already.
    let chown = Command::new("chown").arg("postgres").arg(&key).output();
    chown.expect("there is a chown");
}

/// Who migrates as a pod does that is told to verify the server by this authority.
fn verifies(ledger: &Database, url: &str, authority: &Path) -> Operator {
    let authority = authority.to_str().expect("it is text");
    let env = [("PGSSLMODE", "verify-full"), ("PGSSLROOTCERT", authority)];
    told(ledger, url).start_with(&["migrate".to_owned()], &env)
}

#[tokio::test]
async fn a_server_is_verified_unless_the_url_says_otherwise() {
    let folder = tempfile("certificates");
    let (right, wrong) = (folder.join("right"), folder.join("wrong"));
    certify(&right, "127.0.0.1");
    certify(&wrong, "127.0.0.1");
    let file = |name: &str| right.join(name).display().to_string();
    let (certificate, key) = (file("tls.crt"), file("tls.key"));
    let settings = [
        "ssl=on".to_owned(),
        format!("ssl_cert_file={certificate}"),
        format!("ssl_key_file={key}"),
    ];
    let settings = settings.iter().flat_map(|it| ["--postgres-setting", it]);
    let options: Vec<&str> = ["--no-cluster"].into_iter().chain(settings).collect();
    let world = World::untouched(&options);
    let ledger = empty_database(&world).await;
    let (right, wrong) = (right.join("ca.crt"), wrong.join("ca.crt"));
    let stranger = verifies(&ledger, &ledger.url, &wrong);
    stranger.logs("invalid peer certificate").await;
    stranger.kill();
    let trusting = format!("{}?sslmode=require", ledger.url);
    for (url, authority) in [(&ledger.url, &right), (&trusting, &wrong)] {
        let migrate = verifies(&ledger, url, authority);
        assert!(migrate.ended().await.success(), "{url}: {}", migrate.logged());
    }
    for folder in [folder, tempfile(&ledger.url)] {
        fs::remove_dir_all(folder).expect("it is ours");
    }
}

/// There are programs of so old a server for this kind of machine only.
#[cfg(target_arch = "x86_64")]
#[tokio::test]
async fn a_server_that_is_too_old_is_named_with_the_one_that_is_needed() {
    let world = quiet_world();
    let free = TcpListener::bind("127.0.0.1:0").expect("there is a port");
    let port = free.local_addr().expect("it is bound").port();
    drop(free);
    let folder = tempfile(&format!("old:{port}"));
    let log = File::create(folder.with_extension("server")).expect("it can be written");
    let mut server = Command::new(chart("tests/tools/old-postgres"));
    server.arg(&folder).arg(port.to_string()).stdout(Stdio::null()).stderr(log);
    let mut server = server.spawn().expect("it can be started");

    let url = format!("postgresql://postgres@127.0.0.1:{port}/postgres");
    let installed = Installed::on(world, &database(world).await).await;
    let installed = Installed { login_url: url.clone(), ..installed };
    // It serves nobody: the franchise that it is to serve is not there.
    let env = [("CATALYST_MIGRATE_DATABASE_URL", url.as_str()), ("CATALYST_NAMESPACES", "none")];
    let operator = installed.start(&env);
    let told = "the database is PostgreSQL 14; the ledger needs 15 or newer";
    operator.logs(told).await;
    let page = operator.answers("/readyz", 503).await;
    assert!(page.contains(told), "{page}");
    operator.answers("/livez", 200).await;
    server.kill().expect("it is our child");
    server.wait().expect("it is our child");
    fs::remove_dir_all(&folder).expect("it is ours");
    fs::remove_file(folder.with_extension("server")).expect("it is ours");
}
