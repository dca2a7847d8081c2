package swarm

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sys/unix"
)

// Fleet is the whole crowd: one engine in this process, or several in child processes.
// Its methods must be called one at a time.
type Fleet struct {
	ctx    context.Context
	size   int
	room   int // connections of the last Connect
	oneCPU bool
	crews  []crew
	tell   func(Progress)
	cancel func() bool
}

// crew is one engine, wherever it runs.
type crew interface {
	send(command) error
	receive(tell func(Progress)) (reply, error)
	stop()
	close() error
}

// reservedFiles are the descriptors of a process that are no connections.
const reservedFiles = 200

// NewFleet prepares for so many connections. processes 0 means as few as the file
// limit allows; 1 and more force that many, each beyond the first case a child that
// runs this program with childArgs and must call Serve. tell hears of progress and may
// be nil. When ctx is done every call returns with an error.
func NewFleet(ctx context.Context, cfg Config, connections, processes int, childArgs []string, tell func(Progress)) (*Fleet, error) {
	perProcess := fileLimit() - reservedFiles
	if processes <= 0 {
		processes = (connections + perProcess - 1) / perProcess
	}
	processes = max(1, min(processes, connections))
	if tell == nil {
		tell = func(Progress) {}
	}
	f := &Fleet{ctx: ctx, size: connections, tell: tell, oneCPU: cfg.CPU >= 0}
	cfg.Workers = processes
	for i := range processes {
		cfg.Worker = i
		first := i * connections / processes
		c, err := newCrew(cfg, first, processes > 1, childArgs)
		if err != nil {
			f.Close()
			return nil, err
		}
		f.crews = append(f.crews, c)
	}
	crews := f.crews // Close may run at the same time
	f.cancel = context.AfterFunc(ctx, func() {
		for _, c := range crews {
			c.stop()
		}
	})
	return f, nil
}

func newCrew(cfg Config, first int, asChild bool, childArgs []string) (crew, error) {
	if asChild {
		return startChild(cfg, first, childArgs)
	}
	return startWorker(cfg, first)
}

// fileLimit raises the limit of open files as far as it goes and returns it.
func fileLimit() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 1024
	}
	if limit.Cur < limit.Max {
		limit.Cur = limit.Max
		_ = unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
		_ = unix.Getrlimit(unix.RLIMIT_NOFILE, &limit)
	}
	return int(min(limit.Cur, 1<<20))
}

// Processes returns how many engines the fleet has.
func (f *Fleet) Processes() int { return len(f.crews) }

// Close resets all connections and ends all engines.
func (f *Fleet) Close() error {
	if f.cancel != nil {
		f.cancel()
	}
	var errs []error
	for _, c := range f.crews {
		errs = append(errs, c.close())
	}
	f.crews = nil
	return errors.Join(errs...)
}

// share returns engine i's part of a whole.
func (f *Fleet) share(whole, i int) int {
	n := len(f.crews)
	return (i+1)*whole/n - i*whole/n
}

// ask sends each engine its command and waits for all answers.
func (f *Fleet) ask(of func(i int) command) ([]reply, error) {
	replies := make([]reply, len(f.crews))
	errs := make([]error, len(f.crews))
	progress := make([]Progress, len(f.crews))
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i, c := range f.crews {
		if errs[i] = c.send(of(i)); errs[i] != nil {
			continue
		}
		wg.Go(func() {
			replies[i], errs[i] = c.receive(func(p Progress) {
				mu.Lock()
				defer mu.Unlock()
				progress[i] = p
				var sum Progress
				for _, p := range progress {
					sum.Done += p.Done
					sum.Total += p.Total
				}
				f.tell(sum)
			})
			if errs[i] == nil && replies[i].Error != "" {
				errs[i] = errors.New(replies[i].Error)
			}
		})
	}
	wg.Wait()
	if err := f.ctx.Err(); err != nil { // the answers are of work that was cut short
		return nil, err
	}
	return replies, errors.Join(errs...)
}

// Connect fills the room up to plan.Count connections.
func (f *Fleet) Connect(plan ConnectPlan) (*ConnectResult, error) {
	if plan.Count > f.size {
		return nil, fmt.Errorf("swarm: %d connections asked of a fleet of %d", plan.Count, f.size)
	}
	inFlight := plan.InFlight
	f.room = plan.Count
	replies, err := f.ask(func(i int) command {
		p := plan
		p.Count = f.share(plan.Count, i)
		p.InFlight = f.share(inFlight, i)
		return command{Connect: &p}
	})
	if err != nil {
		return nil, err
	}
	sum := replies[0].Connect
	for _, r := range replies[1:] {
		sum.merge(r.Connect)
	}
	return sum, nil
}

// Login brings everybody in the room into the world.
func (f *Fleet) Login(plan LoginPlan) (*LoginResult, error) {
	replies, err := f.ask(func(i int) command {
		p := plan
		p.Count = f.share(plan.Count, i)
		p.InFlight = f.share(plan.InFlight, i)
		p.Observers = f.share(plan.Observers, i)
		return command{Login: &p}
	})
	if err != nil {
		return nil, err
	}
	sum := replies[0].Login
	for _, r := range replies[1:] {
		sum.merge(r.Login)
	}
	return sum, nil
}

// Run carries out a measurement. After one with chat the account is open until Settle.
func (f *Fleet) Run(plan RunPlan) (*RunResult, error) {
	replies, err := f.ask(func(i int) command { return command{Run: f.split(plan, i)} })
	if err != nil {
		return nil, err
	}
	sum := replies[0].Run
	for _, r := range replies[1:] {
		sum.merge(r.Run)
	}
	sum.OneCPU = f.oneCPU
	return sum, nil
}

// Settle waits until the last chat of the run is in and compares what every receiver
// heard with what it should have. plan.Said and SaidPrint are what others than the
// fleet said.
func (f *Fleet) Settle(run *RunResult, plan DrainPlan) error {
	plan.Said += run.Chat.Said
	plan.SaidPrint += run.Chat.SaidPrint
	replies, err := f.ask(func(int) command { return command{Drain: &plan} })
	if err != nil {
		return err
	}
	settled := replies[0].Drain
	for _, r := range replies[1:] {
		settled.merge(r.Drain)
	}
	run.Chat.settle(settled)
	return nil
}

// settle takes over what only the drain can know.
func (r *ChatResult) settle(o *ChatResult) {
	checked := r.Checked
	merged := *r
	merged.merge(o)
	*r = merged
	r.Checked = checked
	r.DrainEnded = o.DrainEnded
}

// split returns engine i's part of a plan.
func (f *Fleet) split(plan RunPlan, i int) *RunPlan {
	n := len(f.crews)
	if plan.Chat != nil {
		p := *plan.Chat
		if n > 1 { // all engines need as many senders, for the serials to tell them apart
			if p.Senders <= 0 {
				p.Senders = f.room
			}
			p.Senders = max(1, p.Senders/n)
		}
		p.Checked = f.share(p.Checked, i)
		plan.Chat = &p
	}
	if plan.Storm != nil {
		p := *plan.Storm
		p.Bots = f.share(p.Bots, i)
		plan.Storm = &p
	}
	if plan.Churn != nil {
		p := *plan.Churn
		p.PerSecond /= float64(n)
		p.Halfway /= float64(n)
		p.Garbage /= float64(n)
		p.Slow /= float64(n)
		plan.Churn = &p
	}
	if i > 0 {
		plan.Slow = nil
	}
	return &plan
}

// HangUp resets every connection; the fleet can connect anew.
func (f *Fleet) HangUp() error {
	_, err := f.ask(func(int) command { return command{HangUp: true} })
	return err
}
