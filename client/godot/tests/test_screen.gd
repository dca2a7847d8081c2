extends Check
## Sizes, margins and what is remembered.


func test_scale() -> void:
	for row: Array in [
		[Vector2i(1280, 720), 1.0, 1.0], [Vector2i(1920, 1080), 1.0, 1.5], [Vector2i(3840, 2160), 1.0, 3.5],
		[Vector2i(390, 844), 1.0, 1.0], [Vector2i(1080, 2340), 2.75, 3.0], [Vector2i(2560, 1600), 2.0, 2.0], [Vector2i(100, 100), 1.0, 1.0],
	]:
		equal(ScreenFit.scale_for(row[0] as Vector2i, row[1] as float), row[2], str(row))


func test_margins() -> void:
	var window: Vector2i = Vector2i(1080, 2340)
	equal(ScreenFit.margins(window, Rect2i(0, 90, 1080, 2200), 0, 2.0), Vector4(0, 45, 0, 25), "a notch and a bar")
	equal(ScreenFit.margins(window, Rect2i(0, 90, 1080, 2200), 900, 2.0), Vector4(0, 45, 0, 450), "a keyboard")
	equal(ScreenFit.margins(window, Rect2i(), 0, 2.0), Vector4.ZERO, "nothing known")


func test_settings() -> void:
	var path: String = OS.get_temp_dir().path_join("tavern-settings-%d.cfg" % Time.get_ticks_usec())
	var settings: Settings = Settings.new(path)
	equal([settings.server, settings.player, settings.avatar], ["", "", 0], "without a file")
	settings.server = "ws://example.org:8081"
	settings.player = "ann \"q\""
	settings.avatar = 4
	settings.save()
	var again: Settings = Settings.new(path)
	equal([again.server, again.player, again.avatar], ["ws://example.org:8081", "ann \"q\"", 4], "read again")
	DirAccess.remove_absolute(path)


func test_map_unpack() -> void:
	equal(WorldMap.unpack(Marshalls.raw_to_base64(PackedByteArray([2, 7, 1, 0, 3, 9]))), PackedByteArray([7, 7, 0, 9, 9, 9]), "pairs")
	equal(WorldMap.unpack(""), PackedByteArray(), "nothing")


func test_map_whole() -> void:
	var tree: SceneTree = Engine.get_main_loop()
	var map: WorldMap = (load("res://world/world_map.tscn") as PackedScene).instantiate()
	tree.root.add_child(map)
	equal(map.bounds, Rect2(-2048, -2048, 4096, 4096), "bounds")
	equal((map.get_node("Ground") as TileMapLayer).get_used_cells().size(), 128 * 128, "every tile has a ground")
	truth(map.sorted.get_child_count() > 100, "things stand on it")
	truth(not map.swims(map.spawn), "newcomers stand on dry land")
	equal(map.swims(Vector2(1e6, 0)), false, "outside")
	equal(map.clamped(Vector2(1e6, -1e6)), Vector2(2048, -2048), "clamped")
	map.queue_free()
	await tree.process_frame
