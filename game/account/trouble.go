package account

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"golang.org/x/time/rate"
)

// troubles tells the log why requests fail, the first time and then once a
// minute: when the disk is full every one of them does. Any goroutine.
type troubles struct {
	log       *slog.Logger
	counters  *counters
	sometimes rate.Sometimes
}

func newTroubles(log *slog.Logger, c *counters) troubles {
	return troubles{log: log, counters: c, sometimes: rate.Sometimes{First: 1, Interval: time.Minute}}
}

// note counts an error that is not for players, and hands it on.
func (t *troubles) note(err error) error {
	var r *Refusal
	if err == nil || errors.As(err, &r) || errors.Is(err, ErrGone) {
		return err
	}
	failed := t.counters.failed.Add(1)
	t.sometimes.Do(func() {
		t.log.Error("registrations or logins fail", "error", err, "failed_so_far", failed)
	})
	return err
}

// survive, deferred, makes an error of a panic: one request must not end the
// worker or the writer, which all others wait for.
func (t *troubles) survive(what string, err *error) {
	v := recover()
	if v == nil {
		return
	}
	t.counters.panics.Add(1)
	t.log.Error("panic in the accounts", "in", what, "panic", v, "stack", string(debug.Stack()))
	*err = fmt.Errorf("account: panic in %s: %v", what, v)
}
