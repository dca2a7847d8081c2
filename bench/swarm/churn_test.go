package swarm

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// churn lets everybody come and go for a second.
func churn(t *testing.T, addr string) *ChurnResult {
	t.Helper()
	target, err := Resolve(addr)
	if err != nil {
		t.Fatal(err)
	}
	f, err := NewFleet(t.Context(), Config{Target: target, CPU: -1}, 1, 1, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	start := Now()
	run, err := f.Run(RunPlan{
		Start: start, MeasureFrom: start, End: start + int64(2*time.Second),
		Churn: &ChurnPlan{
			Nonce: "test", PerSecond: 20, Stay: 300 * time.Millisecond, Halfway: 12, Garbage: 60,
			Slow: 4, SlowStay: 300 * time.Millisecond, Patience: 300 * time.Millisecond,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return run.Churn
}

// A server that speaks WebSocket well, but knows neither packets nor limits: every
// answer that it owes must be missed, and those of its frame layer found right.
func TestChurnFindsWrongAnswers(t *testing.T) {
	c := churn(t, startRoom(t, &room{}))
	for _, r := range rubbishes {
		byFrames := r.want == protocol || r.want == invalid || r.want == noHTTP
		right, wrong := c.Garbage[r.kind], 0
		for kind, n := range c.Wrong {
			if strings.HasPrefix(kind, r.kind+": ") {
				wrong += n
			}
		}
		if right+wrong == 0 {
			t.Errorf("%s never came", r.kind)
		} else if !byFrames && right > 0 {
			t.Errorf("%s: %d right answers of a server that knows nothing of it", r.kind, right)
		}
	}
	for _, kind := range []string{"reserved bit", "ping too long", "unknown opcode", "no HTTP"} {
		if c.Garbage[kind] == 0 {
			t.Errorf("%s: no answer was found right: %v", kind, c.Wrong)
		}
	}
	if c.Sent.Malformed.Sure > 0 || c.Sent.Malformed.Perhaps == 0 {
		t.Errorf("malformed packets, none of them answered: %+v", c.Sent.Malformed)
	}
	for _, way := range []string{partGoodbye, partAtOnce, partReset} {
		if c.Parted[way] == 0 {
			t.Errorf("nobody left by %s: %v, %v", way, c.Parted, c.Wrong)
		}
	}
	for _, what := range halves {
		if what != "login" && c.Halves[what] == 0 { // nobody gets an Ok
			t.Errorf("nobody reset in the middle of a %s: %v", what, c.Halves)
		}
	}
	if kept := c.Slow["stop: kept"]; kept == 0 || len(c.Slow) != 3 {
		t.Errorf("nobody talks, so all slow readers are kept: %v", c.Slow)
	}
	// Guests have talked, the pongs say so; players never got in.
	if c.Sent.Chats.Sure == 0 || c.Sent.Chats.Perhaps > 0 || c.Sent.Targets != (Tally{}) || c.Players > 0 || c.Stuck == 0 {
		t.Errorf("%+v, %d players, %d stuck", c.Sent, c.Players, c.Stuck)
	}
	// And it does not close when the stream ends.
	if unnoticed := c.Wrong[partEnd+": nothing"]; unnoticed == 0 || c.Unanswered != uint64(unnoticed) {
		t.Errorf("%d ends of stream found unnoticed, %d unanswered", unnoticed, c.Unanswered)
	}
	if c.Refused+c.Ended > 0 {
		t.Errorf("%d refused, %d ended", c.Refused, c.Ended)
	}
}

// A server that has fallen silent behind the handshake: whoever says goodbye, or ends its
// side of the stream, waits in vain, and nothing that was said is sure.
func TestChurnFindsDeafServer(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		t.Cleanup(func() { conn.Close() })
		_, _ = buffered.WriteString("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
			string(handshakeProof) + "\r\n\r\n")
		buffered.Flush()
	}))
	defer server.Close()
	c := churn(t, strings.TrimPrefix(server.URL, "http://"))
	for _, want := range []string{partGoodbye + ": nothing", partAtOnce + ": nothing", partEnd + ": nothing"} {
		if c.Wrong[want] == 0 {
			t.Errorf("not found wrong: %s; but %v", want, slices.Sorted(maps.Keys(c.Wrong)))
		}
	}
	if c.Unanswered == 0 || c.Sent.Chats.Sure > 0 || c.Sent.Chats.Perhaps == 0 || c.Goodbyes > 0 {
		t.Errorf("%d unanswered, %d goodbyes, %+v", c.Unanswered, c.Goodbyes, c.Sent.Chats)
	}
}

// The parts of a churn come together, and arrive from a child process.
func TestChurnResultsAddUp(t *testing.T) {
	one := newChurnResult()
	one.expect(one.Garbage, "kind", "1002", "1002")
	one.expect(one.Garbage, "kind", "", "1002")
	one.Opened.Sure, one.Goodbyes, one.Vanished, one.Sent.Faults.Perhaps = 3, 1, 2, 4
	var sum ChurnResult
	sum.Add(one)
	sum.Add(one)
	if sum.Garbage["kind"] != 2 || sum.Wrong["kind: nothing"] != 2 || sum.Opened.Sure != 6 || sum.Goodbyes != 2 || sum.Vanished != 4 || sum.Sent.Faults.Perhaps != 8 {
		t.Errorf("%+v", sum)
	}
	if one.Garbage["kind"] != 1 {
		t.Error("adding has changed a part")
	}
}
