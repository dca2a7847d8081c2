package swarm

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// TestMain lets the tests run this binary as the child process of a fleet.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "serve" {
		if err := Serve(context.Background(), os.Stdin, os.Stdout); err != nil {
			_, _ = io.WriteString(os.Stderr, err.Error()+"\n")
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// room is a chat room that can be told to make mistakes: spoil gets every delivery with
// its number and receiver, and returns what is sent instead.
type room struct {
	mu      sync.Mutex
	members []*member
	spoil   func(delivery int, to *member, chat []byte) [][]byte
	count   int
}

type member struct {
	number int
	conn   *websocket.Conn
	held   []byte // of use to spoil
}

// startRoom returns the address of a room on loopback.
func startRoom(t *testing.T, r *room) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		conn, err := websocket.Accept(w, req, nil)
		if err != nil {
			return
		}
		r.mu.Lock()
		m := &member{number: len(r.members), conn: conn}
		r.members = append(r.members, m)
		r.mu.Unlock()
		for {
			_, chat, err := conn.Read(ctx)
			if err != nil {
				return
			}
			r.relay(ctx, m, chat)
		}
	}))
	t.Cleanup(func() {
		cancel()
		r.mu.Lock()
		for _, m := range r.members {
			m.conn.CloseNow()
		}
		r.mu.Unlock()
		server.Close()
	})
	return strings.TrimPrefix(server.URL, "http://")
}

func (r *room) relay(ctx context.Context, from *member, chat []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, to := range r.members {
		if to == from {
			continue
		}
		frames := [][]byte{chat}
		if r.spoil != nil {
			frames = r.spoil(r.count, to, chat)
		}
		r.count++
		for _, frame := range frames {
			_ = to.conn.Write(ctx, websocket.MessageText, frame) // a failure shows as a loss
		}
	}
}

// newFleet returns a fleet of ten that is in the room.
func newFleet(t *testing.T, addr string, processes int) *Fleet {
	t.Helper()
	target, err := Resolve(addr)
	if err != nil {
		t.Fatal(err)
	}
	f, err := NewFleet(t.Context(), Config{Target: target, CPU: -1}, 10, processes, []string{"serve"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	opened, err := f.Connect(ConnectPlan{Count: 10})
	if err != nil {
		t.Fatal(err)
	}
	if opened.Opened != 10 || opened.Latency.Count() != 10 || len(opened.Failures) > 0 {
		t.Fatalf("connected: %+v", opened)
	}
	return f
}

// talk lets the fleet chat for half a second and settles the account.
func talk(t *testing.T, f *Fleet, perSecond float64) *RunResult {
	t.Helper()
	start := Now() + int64(10*time.Millisecond)
	run, err := f.Run(RunPlan{
		Start: start, MeasureFrom: start + int64(100*time.Millisecond), End: start + int64(500*time.Millisecond),
		Chat: &ChatPlan{Run: 3, PerSecond: perSecond, TextBytes: 64, SampleEvery: 1, Checked: 10},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Settle(run, DrainPlan{Patience: 300 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	return run
}

func TestFleetCountsEveryDelivery(t *testing.T) {
	for _, processes := range []int{1, 2, 3} {
		t.Run(fmt.Sprintf("%d processes", processes), func(t *testing.T) {
			f := newFleet(t, startRoom(t, &room{}), processes)
			if f.Processes() != processes {
				t.Fatalf("%d processes, want %d", f.Processes(), processes)
			}
			for range 2 { // the room is used again
				run := talk(t, f, 1000)
				chat := run.Chat
				if chat.Said < 495 || chat.Said > 505 {
					t.Errorf("said %d in half a second, want 500", chat.Said)
				}
				if chat.Expected != chat.Said*9 || chat.HeardAll != chat.Expected {
					t.Errorf("said %d, expected %d, heard %d", chat.Said, chat.Expected, chat.HeardAll)
				}
				if chat.Lost+chat.Doubled+chat.Reordered+chat.Odd != 0 || chat.Wrong != 0 || !chat.DrainEnded {
					t.Errorf("not clean: %+v", chat)
				}
				if chat.Receivers != 10 || chat.Checked != 10 || run.Present != 10 {
					t.Errorf("%d receivers, %d checked, %d present", chat.Receivers, chat.Checked, run.Present)
				}
				// The window is four fifths of the time.
				if n := chat.Latency.Count(); n < int64(chat.Expected)*3/4 || n > int64(chat.Expected)*17/20 {
					t.Errorf("%d latencies of %d deliveries", n, chat.Expected)
				}
				if p99 := chat.Latency.Quantile(0.99); p99 <= 0 || p99 > time.Second {
					t.Errorf("p99 %v", p99)
				}
			}
		})
	}
}

// The judge must find each defect, and nothing else.
func TestFleetFindsDefects(t *testing.T) {
	for _, tc := range []struct {
		name  string
		spoil func(delivery int, to *member, chat []byte) [][]byte
		want  func(c *ChatResult) bool
	}{
		{"one lost", func(n int, _ *member, chat []byte) [][]byte {
			if n == 500 {
				return nil
			}
			return [][]byte{chat}
		}, func(c *ChatResult) bool {
			return c.Lost == 1 && c.Doubled == 0 && c.Wrong == 1 && c.Reordered == 0 && !c.DrainEnded
		}},
		{"one doubled", func(n int, _ *member, chat []byte) [][]byte {
			if n == 500 {
				return [][]byte{chat, chat}
			}
			return [][]byte{chat}
		}, func(c *ChatResult) bool { return c.Lost == 0 && c.Doubled == 1 && c.Wrong == 1 }},
		{"one lost and another doubled", func(n int, to *member, chat []byte) [][]byte {
			if to.number == 4 {
				switch to.held {
				case nil:
					to.held = chat
					return nil
				default:
					if len(to.held) > 0 {
						to.held = []byte{}
						return [][]byte{chat, chat}
					}
				}
			}
			return [][]byte{chat}
		}, func(c *ChatResult) bool { return c.Lost == 1 && c.Doubled == 1 && c.Wrong == 1 }},
		{"one changed", func(n int, _ *member, chat []byte) [][]byte {
			if n == 500 {
				changed := []byte(string(chat))
				i := guestHead + textSerial + 7 // the last digit of the serial
				changed[i] = hexDigits[(strings.IndexByte(hexDigits, changed[i])+1)%16]
				return [][]byte{changed}
			}
			return [][]byte{chat}
		}, func(c *ChatResult) bool { return c.Wrong == 1 }},
		{"one sender's reordered", func(n int, to *member, chat []byte) [][]byte {
			// Everything that the first receiver hears is held back for a while.
			if to.number == 0 && n > 100 && n < 400 {
				to.held = append(append(to.held, chat...), '\n')
				return nil
			}
			if to.number == 0 && len(to.held) > 0 {
				var late [][]byte
				late = append(late, chat)
				for old := range strings.Lines(string(to.held)) {
					late = append(late, []byte(strings.TrimSpace(old)))
				}
				to.held = nil
				return late
			}
			return [][]byte{chat}
		}, func(c *ChatResult) bool { return c.Lost == 0 && c.Doubled == 0 && c.Wrong == 0 && c.Reordered > 0 }},
		{"rubbish between joined chats", func(n int, _ *member, chat []byte) [][]byte {
			if n == 500 {
				return [][]byte{[]byte(string(chat) + "\nrubbish\n" + string(chat))}
			}
			return [][]byte{chat}
		}, func(c *ChatResult) bool { return c.Lost == 0 && c.Odd == 1 }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFleet(t, startRoom(t, &room{spoil: tc.spoil}), 1)
			chat := talk(t, f, 1000).Chat
			if !tc.want(chat) {
				t.Errorf("lost %d, doubled %d, wrong %d, reordered %d, odd %d, drained %v",
					chat.Lost, chat.Doubled, chat.Wrong, chat.Reordered, chat.Odd, chat.DrainEnded)
			}
		})
	}
}

func TestFleetCountsDisconnects(t *testing.T) {
	r := &room{}
	r.spoil = func(n int, to *member, chat []byte) [][]byte {
		if to.number == 7 && to.held == nil {
			to.held = chat
			go to.conn.Close(websocket.StatusTryAgainLater, "slow") // waits for the answer
		}
		return [][]byte{chat}
	}
	f := newFleet(t, startRoom(t, r), 1)
	run := talk(t, f, 200)
	if run.Closes["1013"] != 1 || len(run.Closes) != 1 || run.Present != 9 {
		t.Errorf("closes %v, %d present", run.Closes, run.Present)
	}
	// Whoever is missing is connected again.
	opened, err := f.Connect(ConnectPlan{Count: 10})
	if err != nil || opened.Opened != 1 {
		t.Errorf("connected again: %+v, %v", opened, err)
	}
}

func TestFleetRefusedHandshake(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	target, err := Resolve(strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	f, err := NewFleet(t.Context(), Config{Target: target, CPU: -1}, 3, 0, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	opened, err := f.Connect(ConnectPlan{Count: 3})
	if err != nil || opened.Opened != 0 || opened.Failures["refused 404"] != 3 {
		t.Errorf("%+v, %v", opened, err)
	}
}

func TestFleetEndsWithItsContext(t *testing.T) {
	target, err := Resolve(startRoom(t, &room{}))
	if err != nil {
		t.Fatal(err)
	}
	for _, processes := range []int{1, 2} {
		ctx, cancel := context.WithCancel(t.Context())
		f, err := NewFleet(ctx, Config{Target: target, CPU: -1}, 4, processes, []string{"serve"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Connect(ConnectPlan{Count: 4}); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(50*time.Millisecond, cancel)
		start := Now()
		_, err = f.Run(RunPlan{Start: start, MeasureFrom: start, End: start + int64(time.Hour)})
		if err == nil {
			t.Errorf("%d processes: an hour's run ended without an error", processes)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Every plan and result must survive the way to a child process.
func TestCommandsTravel(t *testing.T) {
	cmd := command{Run: &RunPlan{
		Start: 1, MeasureFrom: 2, End: 3, Chat: &ChatPlan{Run: 5, PerSecond: 2.5}, Walk: &WalkPlan{Place: &Place{MaxX: 3}},
		Storm: &StormPlan{Bots: 2}, Churn: &ChurnPlan{Stay: time.Second}, Slow: &SlowPlan{Kind: SlowStop},
	}}
	data, err := json.Marshal(cmd)
	if err != nil {
		t.Fatal(err)
	}
	var back command
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(back)
	if err != nil || string(again) != string(data) {
		t.Errorf("%s\nbecame\n%s, %v", data, again, err)
	}
	answer := reply{Run: &RunResult{Chat: &ChatResult{Late: NewHistogram()}, Walk: newWalkResult(), Storm: newStormResult()}, Login: newLoginResult()}
	if data, err = json.Marshal(answer); err != nil {
		t.Fatal(err)
	}
	var answered reply
	if err := json.Unmarshal(data, &answered); err != nil || answered.Login.TenthsP50[9] == nil || answered.Run.Walk.Nearest == nil {
		t.Errorf("the answer did not arrive: %v", err)
	}
}
