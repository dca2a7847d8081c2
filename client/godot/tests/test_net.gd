extends Check
## The parts of net/ that need no server.


func test_packet_decode() -> void:
	var packet: Packet = Packet.decode("{\"p1\":2,\"x\":0,\"a\":\"Chat\",\"p0\":\"h\\u00e9 \\ud83d\\ude00\"}")
	equal(packet.action, "Chat", "action")
	equal(packet.payloads, ["hé 😀", 2.0], "payloads by their number")
	equal(packet.text(0), "hé 😀", "text")
	equal(packet.text(1, "no"), "no", "a number is no text")
	equal(packet.text(7, "no"), "no", "text that is not there")
	equal(packet.number(1), 2.0, "number")
	equal(packet.number(0, -1.0), -1.0, "a text is no number")
	equal(packet.object(0), {}, "a text is no object")
	for bad: String in ["", "{", "[]", "null", "3", "{}", "{\"a\":1}", "{\"p0\":\"x\"}"]:
		truth(Packet.decode(bad) == null, "%s taken for a packet" % bad)


func test_packet_encode() -> void:
	equal(Packet.new("Ok").encode(), "{\"a\":\"Ok\"}", "no payload")
	equal(Packet.new("Chat", ["a\"b\\", "[b]\n😀"]).encode(), "{\"a\":\"Chat\",\"p0\":\"a\\\"b\\\\\",\"p1\":\"[b]\\n😀\"}", "two texts")


func test_backoff() -> void:
	var backoff: Backoff = Backoff.new(1.0, 8.0)
	for most: float in [1.0, 2.0, 4.0, 8.0, 8.0]:
		between(backoff.next_seconds(), most / 2.0, most, "wait")
	for i: int in 2000:
		between(backoff.next_seconds(), 4.0, 8.0, "wait after many failures")
	backoff.reset()
	between(backoff.next_seconds(), 0.5, 1.0, "wait after a reset")


func test_server_address() -> void:
	for pair: Array in [
		["", "ws://localhost:8081"], ["example.org", "ws://example.org:8081"], [" example.org:99 ", "ws://example.org:99"],
		["wss://example.org", "wss://example.org:443"], ["https://example.org/", "wss://example.org:443"],
		["ws://10.0.0.1:8081/play", "ws://10.0.0.1:8081/play"], ["[::1]", "ws://[::1]:8081"], ["[::1]:80", "ws://[::1]:80"],
		["ftp://x", ""], ["a b", ""], ["host:port", ""], ["host:0", ""], ["host:70000", ""], ["me@host", ""], ["://", ""],
	]:
		equal(ServerAddress.parse(str(pair[0])), pair[1], str(pair[0]))
	equal(ServerAddress.parse("example.org", true), "wss://example.org:8081", "from a secure page")
	equal(ServerAddress.readable("ws://localhost:8081"), "localhost:8081", "for people")


func test_close_reasons() -> void:
	equal(CloseReason.words(1008, "You have been kicked"), "You have been kicked", "the server's words")
	for code: int in [1000, 1001, 1002, 1003, 1008, 1009, 1011, 1013, 4000, -1]:
		truth(CloseReason.words(code, "").length() > 10, "words for %d" % code)
