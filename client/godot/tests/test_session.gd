extends Check
## The way into the world and back, against a server that can be made to say anything.

var tree: SceneTree = Engine.get_main_loop()
var server: FakeServer = FakeServer.new()
var session: Session = Session.new()
var events: PackedStringArray = []


## Waits for the condition; false after ten seconds.
func until(condition: Callable) -> bool:
	var end: int = Time.get_ticks_msec() + 10_000
	while not condition.call():
		if Time.get_ticks_msec() > end:
			return false
		await tree.process_frame
	return true


func begin() -> void:
	tree.root.add_child(server)
	tree.root.add_child(session)
	session.socket.backoff.first_seconds = 0.05
	session.registered.connect(func() -> void: events.append("registered"))
	session.entered.connect(func(me: ActorModel) -> void: events.append("entered as " + me.name))
	session.refused.connect(func(reason: String) -> void: events.append("refused: " + reason))
	session.left.connect(func() -> void: events.append("left"))
	session.lost.connect(func() -> void: events.append("lost"))
	session.chat_received.connect(func(who: String, text: String) -> void: events.append(who + " says " + text))
	session.model_received.connect(func(model: ActorModel) -> void: events.append("model %d" % model.id))
	session.actor_removed.connect(func(id: int, gone: bool) -> void: events.append("%d %s" % [id, "gone" if gone else "out of sight"]))
	session.connect_to(server.url())
	truth(await until(func() -> bool: return session.stage == Session.Stage.READY), "connected")


func finish() -> void:
	server.queue_free()
	session.queue_free()
	await tree.process_frame


## Waits until the server has had so many packets, and checks the newest.
func expect_packet(count: int, action: String, payloads: Array) -> void:
	truth(await until(func() -> bool: return server.got.size() >= count), "packet %d: %s" % [count, action])
	if server.got.size() >= count:
		equal(server.got[count - 1].action, action, "packet %d" % count)
		equal(server.got[count - 1].payloads, payloads, "payloads of packet %d" % count)


## Waits for an event, which must be the next one after those seen before.
func expect_event(event: String) -> void:
	truth(await until(func() -> bool: return not events.is_empty()), "waited in vain for " + event)
	if not events.is_empty():
		equal(events[0], event, "event")
		events.remove_at(0)


## Logs in and enters the world, the server having had so many packets before.
func enter(packets_before: int) -> void:
	session.log_in("ann", "secret")
	await expect_packet(packets_before + 1, "Login", ["ann", "secret"])
	server.send("{\"a\":\"Ok\"}")
	server.send_model(1, "ann", Vector2(3, 4))
	await expect_event("entered as ann")


func test_register_and_play() -> void:
	await begin()
	session.register("ann", "secret", 2)
	await expect_packet(1, "Register", ["ann", "secret", 2.0])
	server.send("{\"a\":\"Deny\",\"p0\":\"This username is already taken\"}")
	await expect_event("refused: This username is already taken")
	session.register("ann", "secret", 2)
	await expect_packet(2, "Register", ["ann", "secret", 2.0])
	server.send("{\"a\":\"Ok\"}")
	await expect_event("registered")
	await expect_packet(3, "Login", ["ann", "secret"])
	equal(session.say("too early"), false, "nothing can be said before one is in")
	server.send("{\"a\":\"Ok\"}")
	server.send_model(1, "ann", Vector2(3, 4))
	await expect_event("entered as ann")
	server.send_model(2, "bob", Vector2.ZERO)
	await expect_event("model 2")
	server.send("{\"a\":\"Chat\",\"p0\":\"bob\",\"p1\":\"hi\"}")
	await expect_event("bob says hi")
	for garbage: String in ["", "nonsense", "[]", "{\"a\":\"Fly\"}", "{\"a\":\"ModelDelta\",\"p0\":7}", "{\"a\":\"ModelDelta\",\"p0\":{\"id\":\"x\"}}", "{\"a\":\"Ok\"}"]:
		server.send(garbage)
	server.send("{\"a\":\"Despawn\",\"p0\":2}")
	await expect_event("2 out of sight")
	server.send("{\"a\":\"Disconnect\",\"p0\":2}")
	await expect_event("2 gone")
	server.send("{\"a\":\"Deny\",\"p0\":\"You talk too fast\"}")
	await expect_event("refused: You talk too fast")
	equal(session.stage, Session.Stage.IN_WORLD, "a remark throws nobody out")
	session.say("x".repeat(3000))
	await expect_packet(4, "Chat", ["ann", "x".repeat(Session.TEXT_BYTES)])
	session.walk_to(Vector2(1.23456, -7.0))
	await expect_packet(5, "Target", [1.23, -7.0])
	session.leave()
	await expect_event("left")
	truth(await until(func() -> bool: return session.stage == Session.Stage.READY and server.connections == 2), "connected anew")
	await finish()


func test_comes_back() -> void:
	await begin()
	await enter(0)
	server.close(1001, "")
	await expect_event("lost")
	equal(session.returning(), true, "it will come back")
	await expect_packet(2, "Login", ["ann", "secret"])
	server.send("{\"a\":\"Deny\",\"p0\":\"You are already logged in\"}")
	await expect_packet(3, "Login", ["ann", "secret"])
	server.crash()
	server.listen()
	await expect_packet(4, "Login", ["ann", "secret"])
	server.send("{\"a\":\"Ok\"}")
	server.send_model(1, "ann", Vector2(3, 4))
	await expect_event("entered as ann")
	equal(session.returning(), false, "it is back")
	equal(events, PackedStringArray(), "the player was not bothered")
	await finish()


func test_wakes_up() -> void:
	await begin()
	await enter(0)
	session.longest_sleep_seconds = -1.0 # so that any frame counts as a sleep
	await expect_event("lost")
	session.longest_sleep_seconds = 10.0
	await expect_packet(2, "Login", ["ann", "secret"])
	equal(server.connections, 2, "a new connection")
	server.send("{\"a\":\"Ok\"}")
	server.send_model(1, "ann", Vector2(3, 4))
	await expect_event("entered as ann")
	await finish()


func test_may_not_come_back() -> void:
	await begin()
	await enter(0)
	server.close(1001, "")
	await expect_event("lost")
	await expect_packet(2, "Login", ["ann", "secret"])
	server.send("{\"a\":\"Deny\",\"p0\":\"Username or password incorrect\"}")
	await expect_event("refused: Username or password incorrect")
	await expect_event("left")
	equal(session.stage, Session.Stage.READY, "at the login screen")
	await finish()


func test_thrown_out() -> void:
	await begin()
	await enter(0)
	server.close(1008, "You have been banned")
	await expect_event("refused: You have been banned")
	await expect_event("left")
	equal(session.stage, Session.Stage.OFFLINE, "it stays away")
	session.log_in("ann", "secret") # the player insists
	await expect_packet(2, "Login", ["ann", "secret"])
	equal(server.connections, 2, "and is connected again")
	await finish()


func test_server_full() -> void:
	await begin()
	server.close(1013, "Full")
	await expect_event("refused: " + CloseReason.words(1013, ""))
	truth(await until(func() -> bool: return server.connections == 2), "it tries again")
	await finish()


func test_nobody_there() -> void:
	await begin()
	server.crash()
	truth(await until(func() -> bool: return session.stage == Session.Stage.CONNECTING), "the loss is noticed")
	session.log_in("ann", "secret")
	await expect_event("refused: The server cannot be reached")
	server.listen()
	truth(await until(func() -> bool: return session.stage == Session.Stage.READY), "connected when it is there again")
	equal(server.got.size(), 0, "nobody is logged in without being asked again")
	await finish()


func test_no_answer() -> void:
	await begin()
	session.answer_seconds = 0.1
	session.log_in("ann", "secret")
	await expect_event("refused: The server does not answer")
	truth(await until(func() -> bool: return session.stage == Session.Stage.READY), "connected anew")
	await finish()
