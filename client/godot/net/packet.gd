class_name Packet
extends RefCounted
## One packet of the wire protocol: the name of an action and its payloads.
##
## On the wire it is a JSON object, {"a":"Chat","p0":"ann","p1":"hello"}, and a
## WebSocket message of its own. This class knows the form only, no action.

## The action's name, such as "Chat".
var action: String

## The payloads by their number. Numbers come out of JSON as floats.
var payloads: Array


func _init(of_action: String = "", with_payloads: Array = []) -> void:
	action = of_action
	payloads = with_payloads


## The packet's JSON, in one line.
func encode() -> String:
	var members: Dictionary = {"a": action}
	for i: int in payloads.size():
		members["p%d" % i] = payloads[i]
	return JSON.stringify(members, "", false)


## Reads one packet, or gives null if the text is none. Unknown keys are
## ignored; payloads are placed by the number in their key and end before the
## first number that is missing.
static func decode(message: String) -> Packet:
	var json: JSON = JSON.new() # unlike JSON.parse_string it keeps quiet about bad input
	if json.parse(message) != OK or not json.data is Dictionary:
		return null
	var members: Dictionary = json.data
	if not members.get("a") is String:
		return null
	var packet: Packet = Packet.new(str(members["a"]))
	while members.has("p%d" % packet.payloads.size()):
		packet.payloads.append(members["p%d" % packet.payloads.size()])
	return packet


## Payload number i if it is a string, else otherwise.
func text(i: int, otherwise: String = "") -> String:
	if i < payloads.size() and payloads[i] is String:
		return payloads[i]
	return otherwise


## Payload number i if it is a number, else otherwise.
func number(i: int, otherwise: float = 0.0) -> float:
	if i < payloads.size() and (payloads[i] is float or payloads[i] is int):
		return payloads[i]
	return otherwise


## Payload number i if it is an object, else an empty one.
func object(i: int) -> Dictionary:
	if i < payloads.size() and payloads[i] is Dictionary:
		return payloads[i]
	return {}
