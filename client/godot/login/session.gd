class_name Session
extends Node
## One player's way through a server: connected, logged in, in the world, and back again
## after the connection was lost.
##
## It owns the socket and the credentials (in memory only), answers Ok and Deny
## itself, and passes everything that happens in the world on.

## The stage, or the wait before the next attempt, has changed.
signal changed

## The account has been created; logging in follows by itself.
signal registered

## The server accepted the login, and this is the player's own actor. Comes
## again after each reconnection: forget everything that was in the world before.
signal entered(me: ActorModel)

## The server refused something, or ended it, and says why.
signal refused(reason: String)

## The player is out of the world and will not be put back: show the login screen.
signal left

## The connection was lost while in the world; it will be tried again.
signal lost

signal chat_received(sender: String, text: String)
signal model_received(model: ActorModel)

## The actor is gone: it has left the game, or merely gone out of sight.
signal actor_removed(id: int, left_game: bool)

enum Stage {
	OFFLINE, ## no connection, none being made
	CONNECTING, ## being made, or waiting to try again
	READY, ## connected, nobody logged in
	ASKING, ## an answer to Register or Login is due
	ENTERING, ## logged in, our own model is due
	IN_WORLD,
}

## The server's bound for a text, in bytes of UTF-8.
const TEXT_BYTES: int = 1024

## What a server says to the second login of an account. After a lost connection
## it means that it has not noticed yet that the first one is gone.
const ALREADY_IN: String = "You are already logged in"

## How long an answer to Register or Login may take.
var answer_seconds: float = 20.0

## After a longer sleep than this (a hidden tab, a closed lid) more may have come in
## than the socket could hold, so the world is entered anew instead of caught up with.
var longest_sleep_seconds: float = 10.0

var stage: Stage = Stage.OFFLINE
var socket: PacketSocket = PacketSocket.new()

## The account's name as the server knows it.
var my_name: String = ""

var _name: String = ""
var _password: String = ""
var _avatar: int = 0
var _wants_in: bool = false # log in as soon as there is a connection
var _registering: bool = false # with that, register first
var _returning: bool = false # was in the world already
var _return_wait: Backoff = Backoff.new(0.5, 5.0)
var _ask_again: float = 0.0 # seconds until the next login, 0: none is planned
var _asking_seconds: float = 0.0
var _last_frame: float = INF # when _process ran last, in seconds


func _ready() -> void:
	socket.name = "Socket"
	add_child(socket)
	socket.connected.connect(_on_connected)
	socket.disconnected.connect(_on_disconnected)
	socket.packet_received.connect(_on_packet)


## Connects to a server, without logging in.
func connect_to(url: String) -> void:
	if socket.url == url and socket.state != PacketSocket.State.CLOSED:
		return
	_forget()
	socket.open(url)
	_enter(Stage.CONNECTING)


## Logs in now, or as soon as there is a connection.
func log_in(name_typed: String, password: String) -> void:
	_name = name_typed
	_password = password
	_registering = false
	_wants_in = true
	_ask()


## Creates the account, then logs in.
func register(name_typed: String, password: String, avatar: int) -> void:
	_name = name_typed
	_password = password
	_avatar = avatar
	_registering = true
	_wants_in = true
	_ask()


## Leaves the world, and is connected again for another login.
func leave() -> void:
	_forget()
	socket.open(socket.url)
	_enter(Stage.CONNECTING)
	left.emit()


## Says something to everybody. The server does not send it back. False if it
## cannot be said now.
func say(text: String) -> bool:
	if stage != Stage.IN_WORLD or text.is_empty():
		return false
	return socket.send(Packet.new("Chat", [my_name, Plain.fit(text, TEXT_BYTES)]))


## Asks the server to walk there.
func walk_to(target: Vector2) -> bool:
	if stage != Stage.IN_WORLD:
		return false
	return socket.send(Packet.new("Target", [snappedf(target.x, 0.01), snappedf(target.y, 0.01)]))


## Whether it will come back to the world by itself.
func returning() -> bool:
	return _returning


## Seconds until the next attempt to connect, 0 if none is planned.
func retry_seconds() -> float:
	return socket.retry_seconds


func _process(delta: float) -> void:
	var now: float = Time.get_ticks_msec() / 1000.0
	if stage == Stage.IN_WORLD and now - _last_frame > longest_sleep_seconds:
		_start_afresh()
	_last_frame = now
	if _ask_again > 0.0:
		_ask_again -= delta
		if _ask_again <= 0.0:
			_ask()
	if stage == Stage.ASKING or stage == Stage.ENTERING:
		_asking_seconds += delta
		if _asking_seconds > answer_seconds:
			_give_up("The server does not answer")


func _ask() -> void:
	_ask_again = 0.0
	match stage:
		Stage.READY:
			var action: String = "Register" if _registering else "Login"
			var payloads: Array = [_name, _password]
			if _registering:
				payloads.append(_avatar)
			_enter(Stage.ASKING)
			socket.send(Packet.new(action, payloads))
		Stage.OFFLINE:
			socket.open(socket.url)
			_enter(Stage.CONNECTING)
		Stage.CONNECTING:
			socket.retry_now()


func _on_connected() -> void:
	_enter(Stage.READY)
	if _wants_in:
		_ask()


func _on_disconnected(code: int, reason: String) -> void:
	var was: Stage = stage
	_ask_again = 0.0
	_enter(Stage.OFFLINE if socket.state == PacketSocket.State.CLOSED else Stage.CONNECTING)
	if socket.state == PacketSocket.State.CLOSED:
		var was_in: bool = _returning or was == Stage.IN_WORLD
		_forget()
		refused.emit(CloseReason.words(code, reason))
		if was_in:
			left.emit()
	elif was == Stage.IN_WORLD:
		_returning = true
		_wants_in = true
		lost.emit()
	elif was == Stage.ASKING or was == Stage.ENTERING:
		if not _returning:
			_wants_in = false # what was asked may have happened: let the player look
			refused.emit(CloseReason.words(code, reason))
	elif _wants_in and not _returning:
		_wants_in = false
		refused.emit(CloseReason.words(code, reason))
	elif was == Stage.READY and not _returning:
		refused.emit(CloseReason.words(code, reason))


func _on_packet(packet: Packet) -> void:
	match packet.action:
		"Ok":
			_on_ok()
		"Deny":
			_on_deny(packet.text(0, "The server refused"))
		"ModelDelta":
			_on_model(ActorModel.from(packet.object(0)))
		"Chat":
			if stage == Stage.IN_WORLD:
				# The one-payload form is what guests hear; be kind to an old server.
				var two: bool = packet.payloads.size() > 1
				chat_received.emit(packet.text(0) if two else "", packet.text(1) if two else packet.text(0))
		"Disconnect", "Despawn":
			if stage == Stage.IN_WORLD:
				actor_removed.emit(int(packet.number(0, -1.0)), packet.action == "Disconnect")
	# Unknown actions are those of a newer server: nothing to us.


func _on_ok() -> void:
	if stage != Stage.ASKING:
		return
	if _registering:
		_registering = false
		_enter(Stage.READY)
		registered.emit()
		_ask()
	else:
		_enter(Stage.ENTERING)


func _on_deny(reason: String) -> void:
	if stage != Stage.ASKING:
		refused.emit(reason) # of a chat or a walk: no more than a remark
	elif _returning and reason == ALREADY_IN:
		_enter(Stage.READY)
		_ask_again = _return_wait.next_seconds()
	else:
		var was_in: bool = _returning
		_forget()
		_enter(Stage.READY)
		refused.emit(reason)
		if was_in:
			left.emit()


func _on_model(model: ActorModel) -> void:
	if model == null:
		return
	if stage == Stage.ENTERING and model.full:
		my_name = model.name
		_returning = false
		_wants_in = false
		_return_wait.reset()
		_enter(Stage.IN_WORLD)
		entered.emit(model)
	elif stage == Stage.IN_WORLD:
		model_received.emit(model)


func _give_up(reason: String) -> void:
	var was_in: bool = _returning
	_forget()
	socket.open(socket.url)
	_enter(Stage.CONNECTING)
	refused.emit(reason)
	if was_in:
		left.emit()


## Leaves the connection behind and comes back through a new one.
func _start_afresh() -> void:
	_returning = true
	_wants_in = true
	socket.open(socket.url)
	_enter(Stage.CONNECTING)
	lost.emit()


## Drops everything that would make it log in by itself.
func _forget() -> void:
	_wants_in = false
	_registering = false
	_returning = false
	_ask_again = 0.0
	_return_wait.reset()


func _enter(new_stage: Stage) -> void:
	_asking_seconds = 0.0
	stage = new_stage
	changed.emit()
