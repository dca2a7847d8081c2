extends SceneTree
## Takes pictures of the client with some company in the world; screenshots.sh starts it:
##   godot --path . -s tests/screenshots.gd -- --server=ws://… --settings=… --to=FOLDER --prefix=desktop-

## The company: name, avatar, where it walks to, what it says.
const COMPANY: Array[Array] = [
	["Mira", 3, Vector2(-120, 70), "Has anybody seen my lute?"],
	["Old Tom", 1, Vector2(170, -50), "It's behind the bar, where you left it 😀"],
	["Wizbert", 2, Vector2(40, 110), ""],
	["Sir Quack", 4, Vector2(-230, -40), "[b]To arms![/b] <3"],
	["ribbit_7", 5, Vector2(165, 75), ""],
]

var main: Main
var options: Dictionary[String, String] = {}
var company: Array[Session] = []


func _initialize() -> void:
	for argument: String in OS.get_cmdline_user_args():
		var parts: PackedStringArray = argument.trim_prefix("--").split("=", true, 1)
		if parts.size() == 2:
			options[parts[0]] = parts[1]
	take.call_deferred()


func take() -> void:
	main = (load("res://main.tscn") as PackedScene).instantiate()
	root.add_child(main)
	await until(func() -> bool: return main.session.stage == Session.Stage.READY)
	var who: String = {"desktop-": "Anna", "phone-": "Pia"}.get(options["prefix"], "Guest of " + options["prefix"].trim_suffix("-"))
	(main.login.get_node("%NewPlayer") as Button).button_pressed = true
	(main.login.get_node("%Name") as LineEdit).text = who
	(main.login.get_node("%Password") as LineEdit).text = "secret"
	await frames(20)
	await shot("login-new")
	(main.login.get_node("%OldPlayer") as Button).button_pressed = true
	main.login.login_wanted.emit(who, "wrong")
	await until(func() -> bool: return not main.login.message().is_empty() and main.session.stage == Session.Stage.READY)
	await shot("login-refused")

	for row: Array in COMPANY:
		await join(row)
	main.login.register_wanted.emit(who, "secret", 0)
	await until(func() -> bool: return main.session.stage == Session.Stage.IN_WORLD)
	await until(func() -> bool: return main.world.neighbours().size() >= COMPANY.size())
	for i: int in COMPANY.size():
		company[i].walk_to(COMPANY[i][2] as Vector2)
	main.world.walk_to(Vector2(12, 24))
	await until(func() -> bool: return main.world.neighbours().all(func(actor: Actor) -> bool:
			return COMPANY.any(func(row: Array) -> bool: return actor.place.distance_to(row[2] as Vector2) < 3.0)))
	for i: int in COMPANY.size():
		if not str(COMPANY[i][3]).is_empty():
			company[i].say(str(COMPANY[i][3]))
	main.chat.said.emit("Evening, everybody!")
	main.near.set_open(root.size.x > 600)
	main.world.walk_to(Vector2(24, 32))
	await until(func() -> bool: return main.chat.plain_text().contains("To arms!"))
	await frames(4)
	await shot("world")
	main.world.walk_to(Vector2(-400, 130))
	await until(func() -> bool: return not main.world.me.walking() and main.world.me.place.distance_to(Vector2(-400, 130)) < 3.0)
	main.chat.start_typing()
	await frames(10)
	await shot("west")
	main.chat.stop_typing()
	main.world.walk_to(Vector2(-400, 900))
	await until(func() -> bool: return main.world.me.place.distance_to(Vector2(-400, 900)) < 3.0)
	await frames(20)
	await shot("south")
	var water: Vector2 = nearest_water()
	main.world.walk_to(water)
	await until(func() -> bool: return main.world.me.place.distance_to(water) < 3.0)
	await frames(20)
	await shot("swim")
	print("frames per second: ", Performance.get_monitor(Performance.TIME_FPS), ", draw calls: ", Performance.get_monitor(Performance.RENDER_TOTAL_DRAW_CALLS_IN_FRAME))
	quit(0)


## A place to swim, one tile from the shore at least, near the player.
func nearest_water() -> Vector2:
	var map: WorldMap = main.world.map
	for ring: int in range(1, 100):
		for turn: int in 64:
			var place: Vector2 = main.world.me.place + Vector2.from_angle(TAU * turn / 64.0) * 16.0 * ring
			if [Vector2.ZERO, Vector2(40, 0), Vector2(-40, 0), Vector2(0, 40), Vector2(0, -40)].all(
					func(aside: Vector2) -> bool: return map.swims(place + aside)):
				return place
	return main.world.me.place


func join(row: Array) -> void:
	var session: Session = Session.new()
	root.add_child(session)
	session.connect_to(options["server"])
	session.refused.connect(func(reason: String) -> void:
		if reason.contains("taken"):
			session.log_in(str(row[0]), "secret"))
	session.register(str(row[0]), "secret", int(row[1]))
	await until(func() -> bool: return session.stage == Session.Stage.IN_WORLD)
	company.append(session)


func shot(subject: String) -> void:
	await RenderingServer.frame_post_draw
	root.get_texture().get_image().save_png(options["to"].path_join(options["prefix"] + subject + ".png"))


func frames(count: int) -> void:
	for i: int in count:
		await process_frame


func until(condition: Callable) -> void:
	while not condition.call():
		await process_frame
