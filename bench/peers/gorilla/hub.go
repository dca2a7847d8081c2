package main

import (
	"time"

	"github.com/gorilla/websocket"
)

// message is one chat on its way through the hub.
type message struct {
	from *member
	data []byte
}

// hub owns the set of members; only its run goroutine touches the map.
type hub struct {
	members map[*member]struct{}
	join    chan *member
	leave   chan *member
	chats   chan message
}

func newHub() *hub {
	return &hub{
		members: make(map[*member]struct{}),
		join:    make(chan *member),
		leave:   make(chan *member),
		chats:   make(chan message),
	}
}

// run fans chats out for ever.
func (h *hub) run() {
	for {
		select {
		case m := <-h.join:
			h.members[m] = struct{}{}
		case m := <-h.leave:
			h.drop(m)
		case chat := <-h.chats:
			for m := range h.members {
				if m == chat.from {
					continue
				}
				select {
				case m.queue <- chat.data:
				default:
					h.drop(m)
				}
			}
		}
	}
}

// drop forgets m and ends its writing goroutine; once, however often it is asked.
func (h *hub) drop(m *member) {
	if _, in := h.members[m]; in {
		delete(h.members, m)
		close(m.queue)
	}
}

// member is one connection. read and write each have a goroutine of their own.
type member struct {
	hub   *hub
	conn  *websocket.Conn
	queue chan []byte
}

// read passes what the client says to the hub until the connection fails.
func (m *member) read() {
	defer func() {
		m.hub.leave <- m
		m.conn.Close()
	}()
	m.conn.SetReadLimit(maxMessageBytes)
	m.conn.SetReadDeadline(time.Now().Add(pongWait))
	m.conn.SetPongHandler(func(string) error {
		return m.conn.SetReadDeadline(time.Now().Add(pongWait))
	})
	for {
		_, data, err := m.conn.ReadMessage()
		if err != nil {
			return
		}
		m.hub.chats <- message{from: m, data: data}
	}
}

// write sends what the hub queued, all of it that is there in one message.
func (m *member) write() {
	ping := time.NewTicker(pingEvery)
	defer func() {
		ping.Stop()
		m.conn.Close()
	}()
	for {
		select {
		case data, open := <-m.queue:
			m.conn.SetWriteDeadline(time.Now().Add(writeWait))
			if !open {
				m.conn.WriteMessage(websocket.CloseMessage, nil)
				return
			}
			if m.sendJoined(data) != nil {
				return
			}
		case <-ping.C:
			m.conn.SetWriteDeadline(time.Now().Add(writeWait))
			if m.conn.WriteMessage(websocket.PingMessage, nil) != nil {
				return
			}
		}
	}
}

// sendJoined writes first and everything queued behind it as one text message.
func (m *member) sendJoined(first []byte) error {
	w, err := m.conn.NextWriter(websocket.TextMessage)
	if err != nil {
		return err
	}
	w.Write(first)
	for range len(m.queue) {
		w.Write([]byte{'\n'})
		w.Write(<-m.queue)
	}
	return w.Close()
}
