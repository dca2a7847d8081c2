class_name Settings
extends RefCounted
## What the client remembers from one start to the next. No password is among it.

const SECTION: String = "player"

var server: String = ""
var player: String = ""
var avatar: int = 0

var _path: String


## Reads the file if there is one.
func _init(path: String = "user://settings.cfg") -> void:
	_path = path
	var file: ConfigFile = ConfigFile.new()
	if file.load(_path) != OK:
		return
	server = str(file.get_value(SECTION, "server", ""))
	player = str(file.get_value(SECTION, "name", ""))
	var known: Variant = file.get_value(SECTION, "avatar", 0)
	avatar = known if known is int else 0


func save() -> void:
	var file: ConfigFile = ConfigFile.new()
	file.set_value(SECTION, "server", server)
	file.set_value(SECTION, "name", player)
	file.set_value(SECTION, "avatar", avatar)
	file.save(_path) # where nothing can be stored, nothing is remembered
