class_name CloseReason
extends RefCounted
## Says in words why a connection has ended.


## The server's own words come first, as far as there are any.
static func words(code: int, reason: String) -> String:
	if not reason.is_empty():
		return reason
	match code:
		1000:
			return "The server closed the connection"
		1001:
			return "The server is restarting"
		1008:
			return "The server does not want this connection"
		1009:
			return "The message was too long for the server"
		1002, 1013: # Godot shows 1013 as 1002, see PacketSocket
			return "The server is full, or the connection too slow for it"
		_ when code > 0:
			return "The connection was closed (code %d)" % code
	return "The server cannot be reached"
