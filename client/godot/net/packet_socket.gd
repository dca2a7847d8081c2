class_name PacketSocket
extends Node
## A connection to a server that speaks packets over WebSocket.
##
## Add it to the scene, connect its three signals, call open(). It polls itself,
## comes back by itself when the connection is lost, and never waits. It knows
## nothing of the game that is played over it.

## The handshake is done; send() works from now on.
signal connected

## The connection has ended, or an attempt has failed. The code is that of the
## WebSocket close frame, or -1 if there was none; the reason is the server's.
## Look at retry_seconds to learn whether, and when, it will be tried again.
signal disconnected(code: int, reason: String)

## A packet has arrived. Messages that are none are dropped and counted.
signal packet_received(packet: Packet)

enum State {
	CLOSED, ## nothing is going on
	CONNECTING, ## an attempt is being made
	OPEN, ## packets can be sent
	WAITING, ## between two attempts
}

## Bytes that may arrive between two frames: a client that was asleep for a
## moment must not lose any.
const INBOUND_BYTES: int = 1 << 20

## How long a connection must have been open to count as a success for the
## waits between attempts.
const STEADY_SECONDS: float = 10.0

## How long a closing handshake may take before the socket is dropped.
const CLOSING_SECONDS: float = 2.0

## Try again when the connection is lost or cannot be made.
@export var reconnect: bool = true

## How long one attempt may take.
@export var connect_timeout_seconds: float = 10.0

## Close codes after which coming back is no use: the server has said "not you".
@export var final_codes: PackedInt32Array = [1008]

## How long to wait between attempts.
var backoff: Backoff = Backoff.new()

## What the socket is doing. Read it, do not set it.
var state: State = State.CLOSED

## Seconds until the next attempt, 0 unless the state is WAITING.
var retry_seconds: float = 0.0

## The address given to open().
var url: String = ""

## Messages dropped because they were no packets.
var dropped: int = 0

var _peer: WebSocketPeer
var _state_seconds: float = 0.0 # time spent in this state
var _closing: Array[WebSocketPeer] = [] # still saying goodbye
var _closing_seconds: float = 0.0


## Connects to an address such as "ws://localhost:8081". An earlier connection is
## closed without a signal.
func open(to_url: String) -> void:
	_say_goodbye()
	url = to_url
	backoff.reset()
	_attempt()


## Tries now instead of at the end of the wait.
func retry_now() -> void:
	if state == State.WAITING:
		_attempt()


## Ends the connection, and the attempts to have one. Emits disconnected if there
## was a connection.
func close(reason: String = "") -> void:
	var was_open: bool = state == State.OPEN
	_say_goodbye(reason)
	_enter(State.CLOSED)
	if was_open:
		disconnected.emit(1000, reason)


## Sends a packet; false if there is no connection or no room for it.
func send(packet: Packet) -> bool:
	if state != State.OPEN:
		return false
	return _peer.send_text(packet.encode()) == OK


func _process(delta: float) -> void:
	_state_seconds += delta
	_poll_closing(delta)
	match state:
		State.CONNECTING, State.OPEN:
			_poll()
		State.WAITING:
			retry_seconds = maxf(0.0, retry_seconds - delta)
			if retry_seconds == 0.0:
				_attempt()


func _exit_tree() -> void:
	_say_goodbye()
	_enter(State.CLOSED)


func _attempt() -> void:
	_peer = WebSocketPeer.new()
	_peer.inbound_buffer_size = INBOUND_BYTES
	_peer.max_queued_packets = 1 << 14
	_enter(State.CONNECTING)
	if _peer.connect_to_url(url) != OK:
		_lost(-1, "")


func _poll() -> void:
	var peer: WebSocketPeer = _peer
	peer.poll()
	var ready_state: WebSocketPeer.State = peer.get_ready_state()
	if state == State.CONNECTING and ready_state == WebSocketPeer.STATE_OPEN:
		peer.set_no_delay(true)
		_enter(State.OPEN)
		connected.emit()
	# What the server sent before it closed is still to be read.
	while peer == _peer and peer.get_available_packet_count() > 0:
		_receive(peer.get_packet().get_string_from_utf8())
	if peer != _peer: # a handler has opened or closed the socket
		return
	if ready_state == WebSocketPeer.STATE_CLOSED:
		var reason: String = peer.get_close_reason()
		# Godot 4 takes the close codes 1012 to 1014 ("come back later") for an error of the
		# protocol; these are its own words then, not the server's.
		_lost(peer.get_close_code(), "" if reason == "Protocol error" else reason)
	elif state == State.CONNECTING and _state_seconds > connect_timeout_seconds:
		_lost(-1, "")
	elif state == State.OPEN and _state_seconds > STEADY_SECONDS:
		backoff.reset()


func _receive(message: String) -> void:
	var packet: Packet = Packet.decode(message)
	if packet == null:
		dropped += 1
	else:
		packet_received.emit(packet)


func _lost(code: int, reason: String) -> void:
	_peer = null
	if reconnect and not final_codes.has(code):
		_enter(State.WAITING)
		retry_seconds = backoff.next_seconds()
	else:
		_enter(State.CLOSED)
	disconnected.emit(code, reason)


func _enter(new_state: State) -> void:
	state = new_state
	_state_seconds = 0.0
	retry_seconds = 0.0


## Sends the close frame of the present connection and keeps polling it for a while:
## a socket that is dropped at once looks like a crash to the server.
func _say_goodbye(reason: String = "") -> void:
	if _peer != null and _peer.get_ready_state() == WebSocketPeer.STATE_OPEN:
		_peer.close(1000, reason)
		_closing.append(_peer)
		_closing_seconds = 0.0
	_peer = null


func _poll_closing(delta: float) -> void:
	if _closing.is_empty():
		return
	_closing_seconds += delta
	for peer: WebSocketPeer in _closing.duplicate():
		peer.poll()
		while peer.get_available_packet_count() > 0:
			peer.get_packet() # nobody listens any more
		if peer.get_ready_state() == WebSocketPeer.STATE_CLOSED or _closing_seconds > CLOSING_SECONDS:
			_closing.erase(peer)
