package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"tavern/bench/report"
	"tavern/bench/swarm"
	"tavern/bench/target"
)

// ceilingMode measures the generator and not a server: a trivial sender in another
// process writes batches of chats to every connection as fast as they are read.
func ceilingMode(fs *flag.FlagSet) func(context.Context, *lab) error {
	var (
		rooms     = intList{1000}
		frames    = fs.Int("frames", 400, "`frames` in each write of the sender")
		textBytes = fs.Int("text", 78, "text of a chat in `bytes`; 78 makes a frame of 100")
		length    = fs.Duration("time", 4*time.Second, "`duration` of a measurement")
	)
	fs.Var(&rooms, "room", "`connections`; several separated by commas")
	return func(ctx context.Context, l *lab) error {
		for _, room := range rooms {
			if err := ceiling(ctx, l, room, *frames, *textBytes, *length); err != nil {
				return err
			}
		}
		return nil
	}
}

func ceiling(ctx context.Context, l *lab, room, frames, textBytes int, length time.Duration) error {
	if err := checkText(textBytes); err != nil {
		return err
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	l.run++
	plan := soon(time.Second, length)
	connecting := int64(3*time.Second) + int64(room)*int64(300*time.Microsecond)
	plan.Start += connecting
	plan.MeasureFrom += connecting
	plan.End += connecting
	plan.Chat = &swarm.ChatPlan{
		Run: l.run, Senders: room, TextBytes: textBytes,
		SampleEvery: sampleEvery(15e6), Checked: checkedReceivers(room, room),
	}
	feeder, err := startFeeder(ctx, swarm.FeedPlan{
		Port: uint16(port), Connections: room, Frames: frames, TextBytes: textBytes,
		Run: l.run, Start: plan.Start, End: plan.End, CPU: l.opts.pin,
	})
	if err != nil {
		return err
	}
	defer feeder.close()
	if err := l.use(target.Config{Name: "feeder", CPU: -1, Addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port))}); err != nil {
		return err
	}
	if err := l.startCeiling(ctx, room); err != nil {
		return err
	}
	if _, err := l.connect(ctx, room); err != nil {
		return err
	}
	if swarm.Now() >= plan.Start {
		return errors.New("the machine is too busy: the feeder began before all were connected")
	}
	l.progress.begin("counting")
	run, _, err := l.measure(ctx, plan, false)
	if err != nil {
		return err
	}
	fed, err := feeder.total()
	if err != nil {
		return err
	}
	if err := l.fleet.Settle(run, swarm.DrainPlan{Said: fed.Said, SaidPrint: fed.SaidPrint}); err != nil {
		return err
	}

	r := &report.Record{Mode: "ceiling", Case: fmt.Sprintf("room=%d/frames=%d", room, frames), Server: "feeder"}
	seconds := run.Window.Seconds()
	r.Add("frames/s", float64(run.Frames)/seconds, "/s")
	r.Add("frames per busy second", float64(run.Frames)/(run.Busy()*seconds), "/s")
	r.Add("bytes/s", float64(run.Bytes)/seconds, "/s")
	r.Add("bytes per read", float64(run.Bytes)/float64(max(1, run.Reads)), "B")
	r.Add("frame", float64(fed.WriteBytes)/float64(frames), "B")
	r.Add("lost", float64(run.Chat.Lost), "")
	r.Add("receivers in order", float64(run.Chat.Checked), "")
	r.Add("generator busy", run.Busy()*100, "%")
	r.Add("feeder busy", fed.CPU.Seconds()/(float64(plan.End-plan.Start)/1e9)*100, "%")
	checkAccount(l, r, run)
	l.add(r)
	return l.closeFleet()
}

// startCeiling is start without waiting for the port by connecting: the feeder takes
// every connection for a receiver.
func (l *lab) startCeiling(ctx context.Context, connections int) error {
	if l.opts.pinSelf >= 0 {
		if err := pinProcess(l.opts.pinSelf); err != nil {
			return err
		}
	}
	return l.openFleet(ctx, connections)
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// feeder is the child process that runs swarm.Feed.
type feeder struct {
	cmd *exec.Cmd
	out *json.Decoder
}

// serveFeeder is the life of that process.
func serveFeeder(in io.Reader, out io.Writer) error {
	var plan swarm.FeedPlan
	if err := json.NewDecoder(in).Decode(&plan); err != nil {
		return fmt.Errorf("feeder: no plan: %w", err)
	}
	encoder := json.NewEncoder(out)
	return swarm.Feed(plan, func(what any) error { return encoder.Encode(what) })
}

func startFeeder(ctx context.Context, plan swarm.FeedPlan) (*feeder, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, feederMode)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	f := &feeder{cmd: cmd, out: json.NewDecoder(out)}
	if err := json.NewEncoder(in).Encode(plan); err != nil {
		f.close()
		return nil, err
	}
	var ready bool
	if err := f.out.Decode(&ready); err != nil {
		f.close()
		return nil, errors.Join(errors.New("the feeder does not listen"), err)
	}
	return f, nil
}

// total waits for what the feeder said.
func (f *feeder) total() (swarm.FeedResult, error) {
	var r swarm.FeedResult
	err := f.out.Decode(&r)
	return r, err
}

func (f *feeder) close() error {
	f.cmd.Process.Kill()
	_ = f.cmd.Wait() // was killed, if it had not ended
	return nil
}
