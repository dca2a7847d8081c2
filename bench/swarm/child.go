package swarm

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// child is an engine in another process of this program.
type child struct {
	cmd     *exec.Cmd
	in      io.WriteCloser
	encoder *json.Encoder
	decoder *json.Decoder
}

func startChild(cfg Config, first int, args []string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("swarm: child: %w", err)
	}
	cmd := exec.Command(self, args...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("swarm: child: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("swarm: child: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("swarm: child: %w", err)
	}
	c := &child{cmd: cmd, in: in, encoder: json.NewEncoder(in), decoder: json.NewDecoder(out)}
	if err := c.encoder.Encode(childConfig{cfg, first}); err != nil {
		c.close()
		return nil, fmt.Errorf("swarm: child: %w", err)
	}
	return c, nil
}

func (c *child) send(cmd command) error {
	if err := c.encoder.Encode(cmd); err != nil {
		return fmt.Errorf("swarm: child: %w", err)
	}
	return nil
}

func (c *child) receive(tell func(Progress)) (reply, error) {
	for {
		var r reply
		if err := c.decoder.Decode(&r); err != nil {
			return reply{}, fmt.Errorf("swarm: child: %w", err)
		}
		if r.Progress == nil {
			return r, nil
		}
		tell(*r.Progress)
	}
}

// stop kills the child: it holds nothing but sockets.
func (c *child) stop() { c.cmd.Process.Kill() }

// close ends the child's input, which ends the child.
func (c *child) close() error {
	c.in.Close()
	if err := c.cmd.Wait(); err != nil && c.cmd.ProcessState.Exited() {
		return fmt.Errorf("swarm: child: %w", err)
	}
	return nil
}
