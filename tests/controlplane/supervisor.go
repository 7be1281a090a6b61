package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

const usage = `supervisor [--cluster NAME]... [--no-cluster] [--audit-reads]
           [--postgres-setting KEY=VALUE]...

Starts PostgreSQL and the clusters (one, hub, unless others or none are named), prints a JSON line
that says where they are, then obeys "stop NAME", "start NAME" and "kill NAME" on standard input, a
JSON line each. An audit log has every write; with --audit-reads also what the operator reads.
The end of standard input, or a signal, ends everything at once; waiting commands are dropped.
`

// server is what a command names: PostgreSQL or a cluster.
type server interface {
	create(context.Context) error // makes it and starts it for the first time, on free ports
	start(context.Context) error  // on the same ports and data; leaves alone what runs already
	stop(context.Context)         // gracefully, or by force once the context ends
	kill()
	end() // for ever: its data will be thrown away
}

type options struct {
	clusters         []string
	auditReads       bool
	postgresSettings []string
}

func supervise() int {
	options, err := parseOptions(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		fmt.Print(usage)
		return 0
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "supervisor: %v\n", err)
		return 2
	}
	// SIGPIPE, too: whoever started the world and no longer reads what it says is gone.
	signals, _ := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	ctx, end := context.WithCancel(signals)
	commands := readCommands(end)

	world, err := newWorld(options)
	if err == nil {
		defer world.destroy()
		err = world.create(ctx)
	}
	if ctx.Err() != nil {
		return 0
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "supervisor: %v\n", err)
		return 1
	}
	world.announce()
	world.obey(ctx, commands)
	return 0
}

func parseOptions(arguments []string) (options, error) {
	var chosen options
	flags := flag.NewFlagSet("supervisor", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // supervise prints the error, or the usage when asked for
	flags.Func("cluster", "", func(name string) error {
		// The name becomes a folder and a word of a command.
		if !regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`).MatchString(name) {
			return errors.New("a name is lower-case letters, digits and inner hyphens")
		}
		if name == "postgres" || slices.Contains(chosen.clusters, name) {
			return errors.New("the name is taken; choose another")
		}
		chosen.clusters = append(chosen.clusters, name)
		return nil
	})
	flags.BoolVar(&chosen.auditReads, "audit-reads", false, "")
	alone := flags.Bool("no-cluster", false, "")
	flags.Func("postgres-setting", "", func(setting string) error {
		if !strings.Contains(setting, "=") {
			return errors.New("a setting is KEY=VALUE, for example fsync=off")
		}
		chosen.postgresSettings = append(chosen.postgresSettings, setting)
		return nil
	})
	if err := flags.Parse(arguments); err != nil {
		return options{}, err
	}
	if flags.NArg() > 0 {
		return options{}, fmt.Errorf("%q is not an option; see --help", flags.Arg(0))
	}
	if len(chosen.clusters) == 0 && !*alone {
		chosen.clusters = []string{"hub"}
	}
	return chosen, nil
}

// readCommands reads ahead, so that the end of standard input is seen while the servers still
// start or a command still runs.
func readCommands(end func()) <-chan string {
	commands := make(chan string, 64)
	go func() {
		defer end()
		lines := bufio.NewScanner(os.Stdin)
		for lines.Scan() {
			commands <- lines.Text()
		}
	}()
	return commands
}

// obey answers one command after the other until the world ends.
func (w *world) obey(ctx context.Context, commands <-chan string) {
	for {
		select {
		case <-ctx.Done():
			return
		case command := <-commands:
			answer := map[string]string{"done": command}
			if err := w.carryOut(ctx, command); err != nil {
				answer = map[string]string{"error": err.Error()}
			}
			printLine(answer)
		}
	}
}

func (w *world) carryOut(ctx context.Context, command string) error {
	verb, name, _ := strings.Cut(command, " ")
	server := w.named(name)
	if server == nil {
		return fmt.Errorf("%q names no server of this world; name postgres or a cluster, as in \"stop postgres\"", command)
	}
	switch verb {
	case "start":
		return server.start(ctx)
	case "stop":
		patience, cancel := context.WithTimeout(ctx, 30*time.Second)
		defer cancel()
		server.stop(patience)
	case "kill":
		server.kill()
	default:
		return fmt.Errorf("%q is not a command; say stop, start or kill", command)
	}
	return nil
}

func printLine(value any) {
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	// A reader that is gone is noticed by its signal and the end of standard input.
	_ = encoder.Encode(value)
}

// startLimit is far beyond what a server needs, as many worlds may start on one busy machine.
const startLimit = 2 * time.Minute

// launcher starts all processes of a world from one thread that lives as long as the supervisor:
// the signal that ends a child when its parent dies is sent when the parent's thread dies.
type launcher chan func()

func newLauncher() launcher {
	requests := make(launcher)
	go func() {
		runtime.LockOSThread()
		for request := range requests {
			request()
		}
	}()
	return requests
}

// command is what to start. The first argument is the name it is called under.
type command struct {
	title     string
	path      string
	arguments []string
	directory string
	log       string
	user      *syscall.Credential
	advice    string // what somebody can do when it does not start
}

// process is a started command.
type process struct {
	command
	pid     int
	done    chan struct{}
	outcome *os.ProcessState // how it ended, once done is closed
	ending  atomic.Bool      // this program ends it, so that nobody need be told
}

func (l launcher) launch(c command) (*process, error) {
	log, err := os.OpenFile(c.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("%s has no log: %w; %s", c.title, err, c.advice)
	}
	defer log.Close()
	child := &exec.Cmd{
		Path:   c.path,
		Args:   c.arguments,
		Dir:    c.directory,
		Stdout: log,
		Stderr: log,
		// Nothing else of the caller's environment: it may hold settings for these servers.
		Env: []string{"PATH=" + os.Getenv("PATH"), "HOME=" + c.directory, "LC_ALL=C"},
		SysProcAttr: &syscall.SysProcAttr{
			// Ctrl-C on a terminal is for the supervisor, which ends the others in good order.
			Setpgid:    true,
			Pdeathsig:  syscall.SIGKILL,
			Credential: c.user,
		},
	}
	started := make(chan error)
	l <- func() { started <- child.Start() }
	if err := <-started; err != nil {
		return nil, fmt.Errorf("%s did not start: %w; %s", c.title, err, c.advice)
	}
	p := &process{command: c, pid: child.Process.Pid, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		_ = child.Wait()
		p.outcome = child.ProcessState
	}()
	return p, nil
}

func (p *process) running() bool {
	if p == nil {
		return false
	}
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// await returns once the check succeeds, or with the reason why it never will.
func (p *process) await(ctx context.Context, check func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startLimit, errors.New("not ready in time"))
	defer cancel()
	var last error
	for {
		select {
		case <-p.done:
			return p.failure("it ended with " + p.outcome.String())
		case <-ctx.Done():
			return p.failure(fmt.Sprintf("%v (%v)", context.Cause(ctx), last))
		case <-time.After(50 * time.Millisecond):
		}
		// Another program on the port may never answer, or answer when this one has failed.
		once, cancel := context.WithTimeout(ctx, 2*time.Second)
		last = check(once)
		cancel()
		if last == nil && p.running() {
			return nil
		}
	}
}

// reportUnaskedEnd says on standard error when the process ends by itself; the world goes on.
func (p *process) reportUnaskedEnd() {
	go func() {
		<-p.done
		if !p.ending.Load() {
			fmt.Fprintf(os.Stderr, "supervisor: %s ended by itself with %s; start it again or end the world. Last lines of its log:\n%s\n",
				p.title, p.outcome, tail(p.log))
		}
	}()
}

// stop asks by a signal, and says whether the process ended before the context did.
func (p *process) stop(ctx context.Context, signal syscall.Signal) bool {
	if !p.running() {
		return true
	}
	p.ending.Store(true)
	_ = syscall.Kill(p.pid, signal)
	select {
	case <-p.done:
		return true
	case <-ctx.Done():
		return false
	}
}

// kill takes the process group, for the helpers that a command may have.
func (p *process) kill() {
	if !p.running() {
		return
	}
	p.ending.Store(true)
	_ = syscall.Kill(-p.pid, syscall.SIGKILL)
	<-p.done
}

// failure is a process that did not become ready.
type failure struct {
	title, reason, advice, log string
}

func (p *process) failure(reason string) *failure {
	return &failure{p.title, reason, p.advice, tail(p.log)}
}

func (f *failure) Error() string {
	return fmt.Sprintf("%s did not become ready: %s; %s. Last lines of its log:\n%s", f.title, f.reason, f.advice, f.log)
}

// tail reads the last lines of a log, now, as the log will be gone with the world.
func tail(path string) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	return "  " + strings.Join(lines[max(0, len(lines)-12):], "\n  ")
}
