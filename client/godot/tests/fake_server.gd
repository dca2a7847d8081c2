class_name FakeServer
extends Node
## A server that says what a test tells it to say.

## What clients have sent, in order, as action and payloads.
var got: Array[Packet] = []

## How many connections there have been.
var connections: int = 0

var port: int = 0

var _listener: TCPServer = TCPServer.new()
var _peer: WebSocketPeer


func _ready() -> void:
	listen()


## Takes connections, on the same port as before if there was one.
func listen() -> void:
	_listener.listen(port, "127.0.0.1")
	port = _listener.get_local_port()


func url() -> String:
	return "ws://127.0.0.1:%d" % port


## Sends a message as it is, a packet or not.
func send(message: String) -> void:
	_peer.send_text(message)


## Sends the full model of an actor.
func send_model(id: int, actor_name: String, place: Vector2) -> void:
	send(JSON.stringify({"a": "ModelDelta", "p0": {"id": id, "avatar_id": 2,
			"instanced_entity": {"x": place.x, "y": place.y, "entity": {"name": actor_name}}}}))


## Ends the connection with a close frame.
func close(code: int, reason: String) -> void:
	_peer.close(code, reason)


## Stops listening, and drops the connection as a crash would.
func crash() -> void:
	_listener.stop()
	_peer = null


func _process(_delta: float) -> void:
	if _listener.is_connection_available():
		_peer = WebSocketPeer.new()
		_peer.accept_stream(_listener.take_connection())
		connections += 1
	if _peer == null:
		return
	_peer.poll()
	while _peer.get_available_packet_count() > 0:
		got.append(Packet.decode(_peer.get_packet().get_string_from_utf8()))
