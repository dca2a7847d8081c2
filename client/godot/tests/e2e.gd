class_name EndToEnd
extends SceneTree
## One player of the end-to-end test, in a process of its own, playing the real client
## against the real server. test.sh starts it as alice and as bob:
##   godot --headless --path . -s tests/e2e.gd -- --role=alice --server=ws://… --settings=…
## Prints what it has seen; the line "RESTART" asks test.sh to restart the server.

## How long anything may take. Nothing here waits for a time, only for events.
const PATIENCE_SECONDS: float = 30.0

const PLACE: Vector2 = Vector2(140, -60)

## Each is sent by alice and must come back from bob letter for letter.
const TEXTS: PackedStringArray = [
	"hello",
	"emoji 😀 👩‍👩‍👧 é 字",
	"[b]bold[/b] [url=http://x]no link[/url] [lb]",
	"quotes \" back\\slash /slash {\"a\":\"Chat\"} <b>&amp;</b>",
]

var main: Main
var role: String = ""
var heard: PackedStringArray = [] # what others have said, in order


func _initialize() -> void:
	for argument: String in OS.get_cmdline_user_args():
		if argument.begins_with("--role="):
			role = argument.trim_prefix("--role=")
	play.call_deferred()


func play() -> void:
	main = (load("res://main.tscn") as PackedScene).instantiate()
	root.add_child(main)
	main.session.chat_received.connect(func(speaker: String, text: String) -> void: heard.append(speaker + ": " + text))
	await until(func() -> bool: return main.session.stage == Session.Stage.READY, "connected")
	if role == "alice":
		await play_alice()
	else:
		await play_bob()
	print(role, " DONE")
	quit(0)


func play_alice() -> void:
	await type_login("alice", "wrong", false)
	await until(func() -> bool: return main.login.message() == "Username or password incorrect", "refused in words")
	await type_login("alice", "secret \"1\"", true, 3)
	await until(in_world, "registered and in the world")
	must(main.world.me.avatar == 3, "the avatar that was chosen")
	must(main.world.me.place.length() < 1.0, "newcomers start in the middle")
	await until(func() -> bool: return seen("bob") != null, "bob in sight")
	await until(func() -> bool: return heard.has("bob: ready"), "bob's first words")
	for text: String in TEXTS:
		talk(text)
		await until(func() -> bool: return heard.has("bob: echo " + text), "back from bob: " + text)
	var drawn: PackedStringArray = main.chat.plain_text().split("\n")
	must(Array(drawn).any(func(line: String) -> bool: return line.ends_with("alice  " + TEXTS[2])), "own text drawn letter for letter")
	must(Array(drawn).any(func(line: String) -> bool: return line.ends_with("bob  echo " + TEXTS[2])), "bob's text drawn letter for letter")

	click(PLACE)
	must(main.world.me.place.distance_to(PLACE) > 50.0, "it is a way to go")
	await until(func() -> bool: return main.world.me.place.distance_to(PLACE) < 1.0, "arrived")
	talk("where am I")
	await until(func() -> bool: return heard.has("bob: you are at 140,-60"), "where bob sees me")

	for time: String in ["first", "second"]:
		print("RESTART ", time)
		await until(func() -> bool: return main.session.stage != Session.Stage.IN_WORLD, "connection lost, " + time)
		must(main.session.returning(), "it will come back by itself")
		must(not main.login.visible, "the world stays on the screen")
		await until(in_world, "back in the world, " + time)
		await until(func() -> bool: return seen("bob") != null, "bob is back too")
		await until(func() -> bool: return heard.has("bob: back " + time), "bob heard after the restart")
		must(main.world.me.place.distance_to(PLACE) < 1.0, "where it was before the restart")
		talk("still here " + time)
		await until(func() -> bool: return heard.has("bob: echo still here " + time), "and bob hears me")
	must(main.chat.plain_text().contains("Connection lost"), "the log tells of the loss")

	talk("leave please")
	await until(func() -> bool: return main.chat.plain_text().contains("bob has left"), "bob has left")
	must(seen("bob") == null, "bob is gone from the world")
	await guest_from_readme()
	press(KEY_ESCAPE)
	await until(func() -> bool: return main.login.visible, "left")
	await until(func() -> bool: return main.session.stage == Session.Stage.READY, "connected for another login")
	await type_login("alice", "secret \"1\"", false)
	await until(in_world, "in once more")


func play_bob() -> void:
	await type_login("bob", "pass", true, 5)
	await until(in_world, "registered and in the world")
	await until(func() -> bool: return seen("alice") != null, "alice in sight")
	must(seen("alice").avatar == 3, "alice's avatar")
	talk("ready")
	for text: String in TEXTS:
		await until(func() -> bool: return heard.has("alice: " + text), "from alice: " + text)
		talk("echo " + text)
	await until(func() -> bool: return heard.has("alice: where am I"), "alice asks")
	await until(func() -> bool: return seen("alice").place.distance_to(PLACE) < 0.02, "alice drawn where she is")
	var place: Vector2 = seen("alice").place.round()
	talk("you are at %d,%d" % [place.x, place.y])
	for time: String in ["first", "second"]:
		await until(func() -> bool: return main.session.stage != Session.Stage.IN_WORLD, "connection lost, " + time)
		await until(in_world, "back in the world, " + time)
		await until(func() -> bool: return seen("alice") != null, "alice is back too")
		talk("back " + time)
		await until(func() -> bool: return heard.has("alice: still here " + time), "alice heard after the restart")
		talk("echo still here " + time)
	await until(func() -> bool: return heard.has("alice: leave please"), "asked to leave")
	press(KEY_ESCAPE)
	await until(func() -> bool: return main.login.visible, "the login screen again")


## The chat of net/README.md, as it stands there, talks to alice as a guest.
func guest_from_readme() -> void:
	var script: GDScript = GDScript.new()
	script.source_code = readme_chat().replace("ws://localhost:8081", main.session.socket.url)
	must(script.reload() == OK, "the README's script compiles")
	var scene: Control = Control.new()
	var log_label: RichTextLabel = RichTextLabel.new()
	log_label.name = "Log"
	var input: LineEdit = LineEdit.new()
	input.name = "Input"
	scene.add_child(log_label)
	scene.add_child(input)
	scene.set_script(script)
	root.add_child(scene)
	await until(func() -> bool: return log_label.get_parsed_text().contains("* connected"), "the guest is connected")
	input.text_submitted.emit("hello from the README")
	await until(func() -> bool: return Array(heard).any(
			func(line: String) -> bool: return line.begins_with("guest-") and line.ends_with(": hello from the README")), "the guest is heard")
	talk("welcome, guest")
	await until(func() -> bool: return log_label.get_parsed_text().contains("alice: welcome, guest"), "the guest hears alice")
	scene.queue_free()


## The first block of GDScript in net/README.md.
static func readme_chat() -> String:
	var readme: String = FileAccess.get_file_as_string("res://net/README.md")
	return readme.get_slice("```gdscript\n", 1).get_slice("```", 0)


func in_world() -> bool:
	return main.session.stage == Session.Stage.IN_WORLD


## The actor of that name among the others in sight, or null.
func seen(who: String) -> Actor:
	for actor: Actor in main.world.neighbours():
		if actor.actor_name == who:
			return actor
	return null


func type_login(who: String, password: String, new_player: bool, avatar: int = 0) -> void:
	(main.login.get_node("%NewPlayer" if new_player else "%OldPlayer") as Button).button_pressed = true
	(main.login.get_node("%Avatars").get_child(avatar) as Button).button_pressed = true
	(main.login.get_node("%Name") as LineEdit).text = who
	var field: LineEdit = main.login.get_node("%Password")
	field.text = password
	field.grab_focus()
	field.edit()
	press(KEY_ENTER)
	await process_frame


## Enter to talk, the text, Enter to send it.
func talk(text: String) -> void:
	if not main.chat.typing():
		press(KEY_ENTER)
	must(main.chat.typing(), "Enter puts the cursor into the line")
	(main.chat.get_node("%Input") as LineEdit).text = text
	press(KEY_ENTER)
	press(KEY_ENTER) # and on the empty line: back to the game
	must(not main.chat.typing(), "an empty line ends the typing")


func press(key: Key) -> void:
	for down: bool in [true, false]:
		var event: InputEventKey = InputEventKey.new()
		event.keycode = key
		event.physical_keycode = key
		event.pressed = down
		root.push_input(event)


## A click on that place of the world, through the camera.
func click(place: Vector2) -> void:
	for down: bool in [true, false]:
		var event: InputEventMouseButton = InputEventMouseButton.new()
		event.button_index = MOUSE_BUTTON_LEFT
		event.position = root.get_canvas_transform() * place
		event.pressed = down
		root.push_input(event, true)


## Goes on as soon as the condition holds.
func until(condition: Callable, what: String) -> void:
	var end: int = Time.get_ticks_msec() + int(PATIENCE_SECONDS * 1000.0)
	while not condition.call():
		if Time.get_ticks_msec() > end:
			fail("waited in vain: " + what)
		await process_frame
	print(role, " saw: ", what)


func must(condition: bool, what: String) -> void:
	if not condition:
		fail("not so: " + what)


func fail(what: String) -> void:
	printerr("FAIL ", role, ": ", what)
	printerr("  stage %d, message %s, heard %s" % [main.session.stage, main.login.message(), heard])
	printerr("  log: ", main.chat.plain_text())
	OS.kill(OS.get_process_id()) # at once, from however deep inside a coroutine
