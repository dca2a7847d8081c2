extends Check
## The golden files that the server's tests read: what the server sends must be
## understood here, and what is sent from here must be what the server expects.

## Beside this project in the repository.
const FOLDER: String = "res://../../codec/testdata/golden"

## Fewer files than this means that the folder was not found.
const FEWEST_FILES: int = 9


func test_every_file() -> void:
	var folder: String = ProjectSettings.globalize_path(FOLDER)
	var files: PackedStringArray = DirAccess.get_files_at(folder)
	truth(files.size() >= FEWEST_FILES, "%d golden files in %s" % [files.size(), folder])
	for file: String in files:
		if not file.ends_with(".json"):
			continue
		var golden: Dictionary = JSON.parse_string(FileAccess.get_file_as_string(folder.path_join(file)))
		for case: Dictionary in golden["cases"]:
			if not case.has("raw"):
				continue # bytes that are no text; WebSocket itself keeps those away
			var what: String = "%s, %s" % [file, case["name"]]
			if case["direction"] == "s2c":
				from_server(str(golden["action"]), case, what)
			elif case.has("error"):
				refused(case, what)
			elif case.get("compact", false):
				to_server(str(golden["action"]), case, what)


## The packet is understood, field by field.
func from_server(action: String, case: Dictionary, what: String) -> void:
	var packet: Packet = Packet.decode(str(case["raw"]))
	if packet == null:
		truth(false, what + ": not understood")
		return
	equal(packet.action, action, what)
	var fields: Dictionary = case.get("fields", {})
	match action:
		"Ok":
			equal(packet.payloads, [], what)
		"Deny":
			equal(packet.text(0), fields["reason"], what)
		"Chat":
			if fields.has("sender"):
				equal(packet.payloads.slice(0, 2), [fields["sender"], fields["text"]], what)
			else:
				equal(packet.payloads, [fields["text"]], what)
		"Disconnect", "Despawn":
			equal(packet.number(0, -1.0), float(fields["id"]), what)
		"ModelDelta":
			var model: ActorModel = ActorModel.from(packet.object(0))
			if model == null:
				truth(false, what + ": no model")
				return
			equal(model.id, int(fields["id"]), what + " id")
			equal(model.place, Vector2(float(fields["x"]), float(fields["y"])), what + " place")
			equal(model.full, fields.has("name"), what + " full")
			if model.full:
				equal(model.name, fields["name"], what + " name")
				equal(model.avatar, int(fields["avatar"]), what + " avatar")
		_:
			truth(false, what + ": this client does not know the action")


## The packet that this client would send is the same, number for number.
func to_server(action: String, case: Dictionary, what: String) -> void:
	var fields: Dictionary = case["fields"]
	var payloads: Array = []
	match action:
		"Register", "Login":
			payloads = [fields["username"], fields["password"]]
			if int(case["payloads"]) == 3:
				payloads.append(fields["avatar"])
		"Chat":
			payloads = [fields["sender"], fields["text"]] if fields.has("sender") else [fields["text"]]
		"Target":
			payloads = [fields["x"], fields["y"]]
		_:
			return
	equal(payloads.size(), int(case["payloads"]), what + " payloads")
	var sent: String = Packet.new(action, payloads).encode()
	equal(JSON.parse_string(sent), JSON.parse_string(str(case["raw"])), what)
	truth(sent.find("\"p0\"") < sent.find("\"p1\"") or payloads.size() < 2, what + ": p0 must come before p1")


## Whatever the server would refuse does at least no harm here.
func refused(case: Dictionary, what: String) -> void:
	var packet: Packet = Packet.decode(str(case["raw"]))
	if case["error"] in ["not_object", "no_action"]:
		truth(packet == null, what + ": taken for a packet")
	elif packet != null:
		ActorModel.from(packet.object(0))
		truth(not packet.encode().is_empty(), what)
