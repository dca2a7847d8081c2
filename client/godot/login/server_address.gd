class_name ServerAddress
extends RefCounted
## Makes a WebSocket address out of what people type.

const DEFAULT: String = "ws://localhost:8081"
const DEFAULT_PORT: int = 8081


## "example.org" becomes "ws://example.org:8081"; a scheme, port or path that is given
## stays, http and https mean ws and wss. Empty if it cannot be an address.
static func parse(typed: String, secure_page: bool = false) -> String:
	var text: String = typed.strip_edges()
	if text.is_empty():
		return DEFAULT
	var scheme: String = "wss" if secure_page else "ws"
	var port: int = DEFAULT_PORT
	var cut: int = text.find("://")
	if cut >= 0:
		match text.left(cut).to_lower():
			"ws", "http":
				scheme = "ws"
			"wss", "https":
				scheme = "wss"
				port = 443
			_:
				return ""
		text = text.substr(cut + 3)
	var path: String = ""
	cut = text.find("/")
	if cut >= 0:
		path = text.substr(cut)
		text = text.left(cut)
	if path == "/":
		path = ""
	var host: String = text
	# The colon before a port, not one inside an IPv6 address in brackets.
	cut = text.rfind(":")
	if cut > text.rfind("]"):
		host = text.left(cut)
		var digits: String = text.substr(cut + 1)
		if not digits.is_valid_int():
			return ""
		port = digits.to_int()
	for c: String in [" ", "@", "?", "#", "\\", "\t"]:
		if (host + path).contains(c) and not (c == "?" and path.contains(c)):
			return ""
	if host.is_empty() or port < 1 or port > 65535:
		return ""
	return "%s://%s:%d%s" % [scheme, host, port, path]


## The address without what goes without saying, for people to read.
static func readable(url: String) -> String:
	return url.trim_prefix("ws://")
