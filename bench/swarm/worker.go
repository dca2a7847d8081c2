package swarm

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// command asks one engine for something; exactly one field is set.
type command struct {
	Connect *ConnectPlan `json:",omitempty"`
	Login   *LoginPlan   `json:",omitempty"`
	Run     *RunPlan     `json:",omitempty"`
	Drain   *DrainPlan   `json:",omitempty"`
	HangUp  bool         `json:",omitempty"`
}

// reply answers a command; replies with Progress come before it.
type reply struct {
	Progress *Progress      `json:",omitempty"`
	Error    string         `json:",omitempty"`
	Connect  *ConnectResult `json:",omitempty"`
	Login    *LoginResult   `json:",omitempty"`
	Run      *RunResult     `json:",omitempty"`
	Drain    *ChatResult    `json:",omitempty"`
}

// worker is an engine with its goroutine. Between commands it reads on: a server must
// not be held up because the generator thinks.
type worker struct {
	first    int // the fleet's number of its first connection
	commands chan command
	replies  chan reply
	ready    chan error
	done     chan struct{}
	engine   *Engine // outside its goroutine for stop and wake only
	stopOnce sync.Once
}

// startWorker makes an engine on a goroutine and thread of its own.
func startWorker(cfg Config, first int) (*worker, error) {
	w := &worker{
		first:    first,
		commands: make(chan command, 1),
		replies:  make(chan reply, 64),
		ready:    make(chan error, 1),
		done:     make(chan struct{}),
	}
	go w.loop(cfg)
	if err := <-w.ready; err != nil {
		return nil, err
	}
	return w, nil
}

// loop never unlocks its thread: a pinned thread must not run anything else later.
func (w *worker) loop(cfg Config) {
	defer close(w.done)
	err := pin(cfg.CPU)
	if err == nil {
		w.engine, err = newEngine(cfg, w.progress)
	}
	w.ready <- err
	if err != nil {
		return
	}
	e := w.engine
	defer e.hangUp()
	defer close(w.replies)
	for !e.stopped.Load() {
		e.run(far, e.interrupted())
		e.mail.Store(false)
		select {
		case cmd := <-w.commands:
			w.replies <- w.carryOut(cmd)
		default:
		}
	}
}

// progress drops what nobody has read yet.
func (w *worker) progress(p Progress) {
	select {
	case w.replies <- reply{Progress: &p}:
	default:
	}
}

func (w *worker) carryOut(cmd command) (r reply) {
	var err error
	e := w.engine
	switch {
	case cmd.Connect != nil:
		r.Connect, err = e.connect(cmd.Connect)
	case cmd.Login != nil:
		r.Login = e.login(cmd.Login, w.first)
	case cmd.Run != nil:
		r.Run, err = e.measure(cmd.Run)
	case cmd.Drain != nil:
		r.Drain = e.drain(cmd.Drain)
	case cmd.HangUp:
		e.hangUp()
	}
	if err != nil {
		r.Error = err.Error()
	}
	return r
}

// send hands over a command; the worker must have answered the one before.
func (w *worker) send(cmd command) error {
	w.commands <- cmd
	w.engine.mail.Store(true)
	w.engine.poller.wake()
	return nil
}

// receive waits for the answer to the last command.
func (w *worker) receive(tell func(Progress)) (reply, error) {
	for r := range w.replies {
		if r.Progress == nil {
			return r, nil
		}
		tell(*r.Progress)
	}
	return reply{}, errStopped
}

// stop ends whatever runs; the worker is of no more use. Any goroutine may call it.
func (w *worker) stop() {
	w.stopOnce.Do(func() {
		w.engine.stopped.Store(true)
		w.engine.poller.wake()
	})
}

// close stops the worker and waits for it. The poller goes last: until the goroutine
// has ended somebody may want to wake it.
func (w *worker) close() error {
	w.stop()
	select {
	case <-w.done:
		w.engine.poller.close()
		return nil
	case <-time.After(5 * time.Second):
		return errors.New("swarm: an engine does not stop")
	}
}

var errStopped = errors.New("swarm: stopped")

// childConfig is the first line that a child process reads.
type childConfig struct {
	Config Config
	First  int
}

// Serve is the whole life of a child process: it reads commands from in and answers
// on out until in ends or ctx is done.
func Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	decoder := json.NewDecoder(bufio.NewReader(in))
	encoder := json.NewEncoder(out)
	var cfg childConfig
	if err := decoder.Decode(&cfg); err != nil {
		return fmt.Errorf("swarm: no configuration: %w", err)
	}
	w, err := startWorker(cfg.Config, cfg.First)
	if err != nil {
		return err
	}
	defer w.close()
	defer context.AfterFunc(ctx, w.stop)()
	for {
		var cmd command
		if err := decoder.Decode(&cmd); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, os.ErrClosed) {
				return nil
			}
			return fmt.Errorf("swarm: command: %w", err)
		}
		if err := w.send(cmd); err != nil {
			return err
		}
		answer, err := w.receive(func(p Progress) { _ = encoder.Encode(reply{Progress: &p}) })
		if err != nil {
			return err
		}
		if err := encoder.Encode(answer); err != nil {
			return fmt.Errorf("swarm: reply: %w", err)
		}
	}
}
