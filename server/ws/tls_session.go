package ws

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/lesismal/llib/std/crypto/tls"
)

// records is what a session over TLS has besides: it turns what is written into
// records and what is read back into bytes. Session.mu guards all of it, as
// reading may have something to answer (a key update, an alert), and records
// must reach the socket in the order in which they were sealed.
//
// Everything behind it, pending above all, counts sealed bytes.
type records struct {
	conn *tls.Conn
	wire wire
	over bool // an error or the end of the stream: no more is read
}

// newRecords takes over a connection whose handshake is done.
func newRecords(conn *tls.Conn) *records {
	r := &records{conn: conn}
	conn.ResetConn(&r.wire, true)
	return r
}

// wire is the connection that llib writes to: a buffer, while somebody has lent one.
type wire struct{ out *[]byte }

var errNoBuffer = errors.New("ws: a record without a buffer")

func (w *wire) Write(b []byte) (int, error) {
	if w.out == nil {
		return 0, errNoBuffer
	}
	*w.out = append(*w.out, b...)
	return len(b), nil
}

func (w *wire) Read([]byte) (int, error)         { return 0, errNoBuffer }
func (w *wire) Close() error                     { return nil }
func (w *wire) LocalAddr() net.Addr              { return nil }
func (w *wire) RemoteAddr() net.Addr             { return nil }
func (w *wire) SetDeadline(time.Time) error      { return nil }
func (w *wire) SetReadDeadline(time.Time) error  { return nil }
func (w *wire) SetWriteDeadline(time.Time) error { return nil }

// sealBuffers are lent to a wire for one call of llib.
var sealBuffers = sync.Pool{New: func() any { return new([]byte) }}

// keepSealBytes is the largest buffer that goes back.
const keepSealBytes = 256 << 10

// lend has f's records appended to the buffer that it returns; give takes it back.
func (r *records) lend(f func() error) (out *[]byte, err error) {
	out = sealBuffers.Get().(*[]byte)
	*out = (*out)[:0]
	r.wire.out = out
	err = f()
	r.wire.out = nil
	return out, err
}

func give(out *[]byte) {
	if cap(*out) <= keepSealBytes {
		sealBuffers.Put(out)
	}
}

// pushSealed is push for a session over TLS. Behind the last frame goes the
// notice that no record follows. The caller holds mu.
func (s *Session) pushSealed(b []byte, last bool) error {
	out, err := s.records.lend(func() error {
		if _, err := s.records.conn.Write(b); err != nil || !last {
			return err
		}
		return s.records.conn.CloseWrite()
	})
	defer give(out)
	if err != nil {
		s.conn.Hangup()
		return ErrClosed
	}
	return s.pushBytes(*out, last)
}

// feedSealed takes bytes from the socket; the opened ones come into buf, which
// may be where data is. Poller, and before that net/http.
func (s *Session) feedSealed(data, buf []byte) {
	for {
		n, err := s.unseal(data, buf)
		data = nil
		if n > 0 {
			s.feed(buf[:n])
		}
		if err != nil {
			s.sealedEnd(err)
			return
		}
		if n == 0 {
			return
		}
	}
}

// unseal adds data and opens what one record holds, 0 bytes when none is whole.
func (s *Session) unseal(data, buf []byte) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.records.over {
		return 0, nil
	}
	out, err := s.records.lend(func() (err error) {
		_, n, err = s.records.conn.AppendAndRead(data, buf)
		return err
	})
	defer give(out)
	if len(*out) > 0 && !s.mute() { // nothing follows our own end
		if int64(s.Pending()+len(*out)) > s.srv.maxPending.Load() {
			err = ErrBacklog // asks for new keys and does not read them
		} else if failed := s.pushBytes(*out, false); err == nil {
			err = failed
		}
	}
	s.records.over = err != nil
	return n, err
}

// sealedEnd ends a session whose records have ended, or are none. Poller.
func (s *Session) sealedEnd(err error) {
	if !errors.Is(err, io.EOF) && !errors.Is(err, ErrClosed) {
		s.srv.counters.tls.Add(1)
	} else if s.mute() && !s.is(stateShut|stateGone) {
		return // the peer is done, our last frames are on their way: see closer.drains
	}
	s.hangup()
}
