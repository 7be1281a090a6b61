package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// auditPolicy records every write: which user did what, not the content. %s stands for the rules
// that come first.
const auditPolicy = `{
  "apiVersion": "audit.k8s.io/v1",
  "kind": "Policy",
  "omitStages": ["RequestReceived"],
  "rules": [
    %s{"level": "None", "verbs": ["get", "list", "watch"]},
    {"level": "Metadata"}
  ]
}
`

// auditReads records what the operator reads, too, by which a program can count all its requests.
const auditReads = `{
      "level": "Metadata",
      "users": ["system:serviceaccount:catalyst-system:catalyst-operator"]
    },
    `

// controllers are those whose work a test can see without nodes. The others cost memory and
// start-up time.
var controllers = []string{
	"clusterrole-aggregation-controller",
	"deployment-controller",
	"garbage-collector-controller",
	"namespace-controller",
	"replicaset-controller",
	"resourcequota-controller",
	"serviceaccount-controller",
}

// world is all servers of one test run and the folder that holds all they write.
type world struct {
	directory string
	postgres  *postgres
	clusters  []*cluster
}

func newWorld(options options) (*world, error) {
	directory, err := os.MkdirTemp("", "catalyst-world-*")
	if err != nil {
		return nil, fmt.Errorf("no folder for the servers' data: %w; set TMPDIR to a folder that can be written", err)
	}
	w := &world{directory: directory}
	launcher := newLauncher()
	w.postgres = &postgres{
		launcher:  launcher,
		directory: filepath.Join(directory, "postgres"),
		settings:  options.postgresSettings,
	}
	for _, name := range options.clusters {
		w.clusters = append(w.clusters, &cluster{
			launcher:   launcher,
			name:       name,
			auditReads: options.auditReads,
			directory:  filepath.Join(directory, "clusters", name),
		})
	}
	return w, nil
}

func (w *world) servers() []server {
	all := []server{w.postgres}
	for _, cluster := range w.clusters {
		all = append(all, cluster)
	}
	return all
}

func (w *world) named(name string) server {
	if name == "postgres" {
		return w.postgres
	}
	for _, cluster := range w.clusters {
		if cluster.name == name {
			return cluster
		}
	}
	return nil
}

// create starts all servers at once; the first that fails ends the attempts of the others.
func (w *world) create(ctx context.Context) error {
	// PostgreSQL may run as another user, who must get through to its own folder.
	if err := os.Chmod(w.directory, 0o755); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	servers := w.servers()
	finished := make(chan struct{})
	for _, server := range servers {
		go func() {
			if err := server.create(ctx); err != nil {
				cancel(err)
			}
			finished <- struct{}{}
		}()
	}
	for range servers {
		<-finished
	}
	return context.Cause(ctx)
}

// destroy leaves no process and no file.
func (w *world) destroy() {
	for _, server := range w.servers() {
		server.end()
	}
	if err := os.RemoveAll(w.directory); err != nil {
		fmt.Fprintf(os.Stderr, "supervisor: %s stays behind: %v; remove it by hand\n", w.directory, err)
	}
}

func (w *world) announce() {
	type clusterAccess struct {
		Server     string `json:"server"`
		Kubeconfig string `json:"kubeconfig"`
		Audit      string `json:"audit"`
	}
	clusters := map[string]clusterAccess{}
	for _, cluster := range w.clusters {
		clusters[cluster.name] = clusterAccess{cluster.url(), cluster.adminKubeconfig(), cluster.auditLog()}
	}
	printLine(struct {
		Directory string                   `json:"directory"`
		Postgres  string                   `json:"postgres"`
		Clusters  map[string]clusterAccess `json:"clusters"`
	}{w.directory, w.postgres.url(), clusters})
}

// cluster is one Kubernetes control plane: etcd, API server and controller manager.
type cluster struct {
	launcher   launcher
	name       string
	auditReads bool
	directory  string

	etcdPort, peerPort, apiPort, managerPort int
	// client trusts the cluster's authority.
	client *http.Client
	// processes are in the order in which they start; they stop in the reverse order.
	processes [3]*process
}

func (c *cluster) url() string             { return fmt.Sprintf("https://127.0.0.1:%d", c.apiPort) }
func (c *cluster) etcdURL() string         { return fmt.Sprintf("https://127.0.0.1:%d", c.etcdPort) }
func (c *cluster) adminKubeconfig() string { return c.file("admin.kubeconfig") }
func (c *cluster) auditLog() string        { return c.file("audit.log") }

func (c *cluster) file(name string) string { return filepath.Join(c.directory, name) }

func (c *cluster) create(ctx context.Context) error {
	return onFreePorts(func() error {
		// What an earlier attempt wrote names its ports.
		if err := os.RemoveAll(c.directory); err != nil {
			return err
		}
		if err := c.writeFiles(); err != nil {
			return fmt.Errorf("cluster %s cannot be prepared: %w; free space for %s", c.name, err, c.directory)
		}
		return c.start(ctx)
	})
}

func (c *cluster) writeFiles() error {
	if err := os.MkdirAll(c.directory, 0o755); err != nil {
		return err
	}
	ports, err := freePorts(4)
	if err != nil {
		return err
	}
	c.etcdPort, c.peerPort, c.apiPort, c.managerPort = ports[0], ports[1], ports[2], ports[3]
	first := ""
	if c.auditReads {
		first = auditReads
	}
	policy := fmt.Sprintf(auditPolicy, first)
	if err := os.WriteFile(c.file("audit-policy.json"), []byte(policy), 0o600); err != nil {
		return err
	}
	if err := writeServiceAccountKey(c.directory); err != nil {
		return err
	}
	return c.writeIdentities()
}

// start starts one server after the other, each when the one that it needs is ready.
func (c *cluster) start(ctx context.Context) error {
	steps := []struct {
		arguments []string
		health    string
	}{
		{c.etcd(), c.etcdURL() + "/health"},
		{c.apiServer(), c.url() + "/readyz"},
		{c.controllerManager(), fmt.Sprintf("https://127.0.0.1:%d/healthz", c.managerPort)},
	}
	for i, step := range steps {
		if c.processes[i].running() {
			continue
		}
		started, err := c.run(ctx, step.arguments, step.health)
		if err != nil {
			c.kill()
			return err
		}
		c.processes[i] = started
	}
	return nil
}

// run starts this very program under the name of a server and waits until it is healthy.
func (c *cluster) run(ctx context.Context, arguments []string, health string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p, err := c.launcher.launch(command{
		title:     fmt.Sprintf("%s of cluster %s", arguments[0], c.name),
		path:      self,
		arguments: arguments,
		directory: c.directory,
		log:       c.file(arguments[0] + ".log"),
		advice:    "a cluster needs 600 MB of memory and 200 MB in the folder for temporary files, so free these and try again",
	})
	if err != nil {
		return nil, err
	}
	if err := p.await(ctx, func(ctx context.Context) error { return c.healthy(ctx, health) }); err != nil {
		p.kill()
		return nil, err
	}
	p.reportUnaskedEnd()
	return p, nil
}

func (c *cluster) healthy(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := c.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return errors.New(url + " says " + response.Status)
	}
	return nil
}

func (c *cluster) etcd() []string {
	peer := fmt.Sprintf("http://127.0.0.1:%d", c.peerPort)
	return []string{
		"etcd",
		"--name=test",
		"--data-dir=" + c.file("etcd"),
		"--listen-client-urls=" + c.etcdURL(),
		"--advertise-client-urls=" + c.etcdURL(),
		"--listen-peer-urls=" + peer,
		"--initial-advertise-peer-urls=" + peer,
		"--initial-cluster=test=" + peer,
		// With TLS, an API server can never use the etcd of another world by mistake.
		"--cert-file=" + c.file("serving.crt"),
		"--key-file=" + c.file("serving.key"),
		"--unsafe-no-fsync",
		// Alone, it need not wait a second for the votes of others before it serves.
		"--heartbeat-interval=20",
		"--election-timeout=200",
		"--log-level=warn",
	}
}

func (c *cluster) apiServer() []string {
	return []string{
		"kube-apiserver",
		"--etcd-servers=" + c.etcdURL(),
		"--etcd-cafile=" + c.file("ca.crt"),
		"--bind-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", c.apiPort),
		"--tls-cert-file=" + c.file("serving.crt"),
		"--tls-private-key-file=" + c.file("serving.key"),
		"--client-ca-file=" + c.file("ca.crt"),
		"--service-account-key-file=" + c.file("sa.pub"),
		"--service-account-signing-key-file=" + c.file("sa.key"),
		"--service-account-issuer=https://kubernetes.default.svc",
		"--api-audiences=https://kubernetes.default.svc",
		"--authorization-mode=RBAC",
		"--service-cluster-ip-range=10.0.0.0/24",
		// There is no node that would reach the API server through a service.
		"--endpoint-reconciler-type=none",
		"--audit-policy-file=" + c.file("audit-policy.json"),
		"--audit-log-path=" + c.auditLog(),
		// A request is answered only when it is in the log, so a test that reads it misses none.
		"--audit-log-mode=blocking",
		"--audit-log-maxsize=0",
	}
}

func (c *cluster) controllerManager() []string {
	kubeconfig := c.file("manager.kubeconfig")
	return []string{
		"kube-controller-manager",
		"--kubeconfig=" + kubeconfig,
		"--authentication-kubeconfig=" + kubeconfig,
		// Nobody but the health check calls it, so it needs no certificate of a front proxy,
		// which the cluster does not have and the log would ask for without end.
		"--authentication-skip-lookup",
		"--authorization-kubeconfig=" + kubeconfig,
		"--bind-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", c.managerPort),
		"--tls-cert-file=" + c.file("serving.crt"),
		"--tls-private-key-file=" + c.file("serving.key"),
		"--service-account-private-key-file=" + c.file("sa.key"),
		"--root-ca-file=" + c.file("ca.crt"),
		"--use-service-account-credentials",
		"--leader-elect=false",
		"--controllers=" + strings.Join(controllers, ","),
		// The default limits, 20 requests a second, would make a test of many namespaces a
		// test of these limits.
		"--kube-api-qps=2000",
		"--kube-api-burst=4000",
		"--concurrent-namespace-syncs=50",
	}
}

func (c *cluster) stop(ctx context.Context) {
	for i := len(c.processes) - 1; i >= 0; i-- {
		if !c.processes[i].stop(ctx, syscall.SIGTERM) {
			c.processes[i].kill()
		}
	}
}

func (c *cluster) kill() {
	for i := len(c.processes) - 1; i >= 0; i-- {
		c.processes[i].kill()
	}
}

func (c *cluster) end() { c.kill() }
