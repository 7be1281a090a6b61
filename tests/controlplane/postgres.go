package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	oldestPostgres  = 15
	installPostgres = `install it, on Debian and Ubuntu with "apt-get install postgresql", or put its folder of programs on PATH`
)

type postgres struct {
	launcher  launcher
	directory string
	settings  []string

	programs string
	// user owns the data and runs the server; nil is the user of this program.
	user     *syscall.Credential
	password string
	port     int
	process  *process
}

func (p *postgres) url() string {
	return fmt.Sprintf("postgresql://postgres:%s@127.0.0.1:%d/postgres", p.password, p.port)
}

func (p *postgres) file(name string) string { return filepath.Join(p.directory, name) }

func (p *postgres) create(ctx context.Context) error {
	var err error
	if p.programs, err = findPostgres(); err != nil {
		return err
	}
	if p.user, err = postgresUser(); err != nil {
		return err
	}
	if err := p.makeFolder(); err != nil {
		return fmt.Errorf("PostgreSQL cannot be prepared: %w; free space for %s", err, p.directory)
	}
	if err := p.initialize(ctx); err != nil {
		return err
	}
	return onFreePorts(func() error {
		ports, err := freePorts(1)
		if err != nil {
			return err
		}
		p.port = ports[0]
		// The next attempt would find the message of the last one in the log.
		_ = os.Remove(p.file("postgres.log"))
		return p.start(ctx)
	})
}

// findPostgres prefers the versioned folders of Debian: what is on PATH there may be a wrapper.
func findPostgres() (string, error) {
	folders, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	version := func(folder string) int {
		number, _ := strconv.Atoi(filepath.Base(filepath.Dir(folder)))
		return number
	}
	sort.Slice(folders, func(a, b int) bool { return version(folders[a]) > version(folders[b]) })
	if found, err := exec.LookPath("initdb"); err == nil {
		folders = append(folders, filepath.Dir(found))
	}
	reason := "its programs initdb and postgres are neither in /usr/lib/postgresql/*/bin nor on PATH"
	for _, folder := range folders {
		if _, err := os.Stat(filepath.Join(folder, "initdb")); err != nil {
			continue
		}
		// "postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)"
		output, err := exec.Command(filepath.Join(folder, "postgres"), "--version").Output()
		if err != nil {
			continue
		}
		var number int
		if _, err := fmt.Sscanf(string(output), "postgres (PostgreSQL) %d", &number); err == nil && number >= oldestPostgres {
			return folder, nil
		}
		reason = fmt.Sprintf("the newest found, in %s, is %q", folder, strings.TrimSpace(string(output)))
	}
	return "", fmt.Errorf("PostgreSQL %d or newer is needed, but %s; %s", oldestPostgres, reason, installPostgres)
}

// postgresUser is the user that PostgreSQL's package makes: the server refuses to run as root.
func postgresUser() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	found, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL does not run as root, and there is no user postgres to run it as (%w); "+
			"make one with \"useradd --system postgres\" or run the tests as another user", err)
	}
	uid, err := strconv.ParseUint(found.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(found.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	// No Groups: root's own must not come along.
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// makeFolder makes the server's own folder, with the password that initdb will read.
func (p *postgres) makeFolder() error {
	if err := os.Mkdir(p.directory, 0o700); err != nil {
		return err
	}
	random := make([]byte, 16)
	if _, err := rand.Read(random); err != nil {
		return err
	}
	p.password = hex.EncodeToString(random)
	if err := os.WriteFile(p.file("password"), []byte(p.password+"\n"), 0o600); err != nil {
		return err
	}
	if p.user == nil {
		return nil
	}
	for _, path := range []string{p.directory, p.file("password")} {
		if err := os.Chown(path, int(p.user.Uid), int(p.user.Gid)); err != nil {
			return err
		}
	}
	return nil
}

func (p *postgres) initialize(ctx context.Context) error {
	initdb, err := p.launcher.launch(p.command("initdb",
		"--pgdata="+p.file("data"),
		"--username=postgres",
		"--pwfile="+p.file("password"),
		"--auth=scram-sha-256",
		"--encoding=UTF8",
		"--locale=C",
		"--no-sync",
		"--no-instructions",
	))
	if err != nil {
		return err
	}
	select {
	case <-initdb.done:
	case <-ctx.Done():
		initdb.kill()
		return ctx.Err()
	}
	if !initdb.outcome.Success() {
		return initdb.failure("it ended with " + initdb.outcome.String())
	}
	return nil
}

func (p *postgres) command(program string, arguments ...string) command {
	advice := "check the values of --postgres-setting and that there is memory and disk space"
	if p.user != nil {
		advice += ", and that the user postgres may pass through every folder above " + p.directory
	}
	path := filepath.Join(p.programs, program)
	return command{
		title: program + " (PostgreSQL)",
		path:  path,
		// With its folder, in which it then looks for its other programs and files.
		arguments: append([]string{path}, arguments...),
		directory: p.directory,
		log:       p.file(program + ".log"),
		user:      p.user,
		advice:    advice,
	}
}

func (p *postgres) start(ctx context.Context) error {
	if p.process.running() {
		return nil
	}
	arguments := []string{"-D", p.file("data")}
	for _, setting := range append([]string{
		"listen_addresses=127.0.0.1",
		fmt.Sprintf("port=%d", p.port),
		"unix_socket_directories=",
		"max_connections=400",
		"shared_buffers=256MB",
		"max_wal_size=4GB",
		// In the data folder, where a killed server's memory is removed with all the rest. The
		// shared memory of a container is often too small, too.
		"dynamic_shared_memory_type=mmap",
	}, p.settings...) { // the last value of a setting wins
		arguments = append(arguments, "-c", setting)
	}
	started, err := p.launcher.launch(p.command("postgres", arguments...))
	if err != nil {
		return err
	}
	p.process = started
	if err := started.await(ctx, p.accepts); err != nil {
		p.kill()
		return err
	}
	started.reportUnaskedEnd()
	return nil
}

// accepts opens a session as far as the question for the password, which PostgreSQL asks only
// when it has started up and recovered.
func (p *postgres) accepts(ctx context.Context) error {
	connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", p.port))
	if err != nil {
		return err
	}
	defer connection.Close()
	deadline, _ := ctx.Deadline()
	_ = connection.SetDeadline(deadline)
	const version = 3 << 16
	parameters := "user\x00postgres\x00database\x00postgres\x00\x00"
	var packet bytes.Buffer
	_ = binary.Write(&packet, binary.BigEndian, [2]int32{int32(8 + len(parameters)), version})
	packet.WriteString(parameters)
	if _, err := connection.Write(packet.Bytes()); err != nil {
		return err
	}
	var kind [1]byte
	if _, err := io.ReadFull(connection, kind[:]); err != nil {
		return err
	}
	if kind[0] != 'R' {
		return errors.New("it takes no sessions yet")
	}
	return nil
}

// stop ends open sessions ("fast shutdown") and writes all data out.
func (p *postgres) stop(ctx context.Context) {
	if !p.process.stop(ctx, syscall.SIGINT) {
		p.kill()
	}
}

// kill is a crash of the whole server. Each session is a process in a group of its own, and a
// busy one would live on and keep the server from starting again; so the main process is halted
// first, to start no more of them, and the end of all is waited for.
func (p *postgres) kill() {
	if !p.process.running() {
		return
	}
	pid := p.process.pid
	_ = syscall.Kill(pid, syscall.SIGSTOP)
	content, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	var sessions []int
	for _, field := range strings.Fields(string(content)) {
		if session, err := strconv.Atoi(field); err == nil {
			_ = syscall.Kill(session, syscall.SIGKILL)
			sessions = append(sessions, session)
		}
	}
	p.process.kill()
	for _, session := range sessions {
		awaitEnd(session)
	}
}

// awaitEnd waits for a killed process that is not a child of this program.
func awaitEnd(pid int) {
	for range 1000 {
		// "4711 (postgres) Z 1 ...": a zombie holds nothing any more.
		content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if _, state, _ := strings.Cut(string(content), ") "); err != nil || strings.HasPrefix(state, "Z") {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (p *postgres) end() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	p.stop(ctx)
}

// onFreePorts repeats an attempt that failed because another program took a port between its
// choice and its use.
func onFreePorts(attempt func() error) error {
	for left := 4; ; left-- {
		err := attempt()
		var failed *failure
		taken := errors.As(err, &failed) && strings.Contains(strings.ToLower(failed.log), "address already in use")
		if !taken || left == 0 {
			return err
		}
	}
}

// freePorts finds ports below those that the kernel gives to outgoing connections. Those may be
// taken while a server is stopped; worse, a client that dials a stopped server on such a port
// can be given that very port and so reach itself.
func freePorts(count int) ([]int, error) {
	const lowest = 15000
	ephemeral := 32768
	if content, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range"); err == nil {
		_, _ = fmt.Sscan(string(content), &ephemeral)
	}
	var ports []int
	for range 1000 {
		wanted := 0 // any port, where the range leaves no room below it
		if ephemeral >= lowest+2000 {
			wanted = lowest + mathrand.IntN(ephemeral-lowest)
		}
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", wanted))
		if err != nil {
			continue
		}
		// Open until all are found, so that none is found twice.
		defer listener.Close()
		if !reserve(listener.Addr().(*net.TCPAddr).Port) {
			continue
		}
		ports = append(ports, listener.Addr().(*net.TCPAddr).Port)
		if len(ports) == count {
			return ports, nil
		}
	}
	return nil, errors.New("no free port on 127.0.0.1; end the programs that hold them")
}

// reservations is a file in which a supervisor locks a byte for each of its ports. It stays open, as
// closing it would give them all up; the end of the process does so, too.
var reservations = sync.OnceValue(func() *os.File {
	path := filepath.Join(os.TempDir(), fmt.Sprintf("catalyst-ports-%d", os.Getuid()))
	file, _ := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	return file
})

// reserve keeps a port for this supervisor as long as it lives: that of a server that is stopped
// looks free to the others. Where nothing can be locked, it is taken for free.
func reserve(port int) bool {
	file := reservations()
	if file == nil {
		return true
	}
	lock := syscall.Flock_t{Type: syscall.F_WRLCK, Whence: io.SeekStart, Start: int64(port), Len: 1}
	err := syscall.FcntlFlock(file.Fd(), syscall.F_SETLK, &lock)
	return !errors.Is(err, syscall.EAGAIN) && !errors.Is(err, syscall.EACCES)
}
