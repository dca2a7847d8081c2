class_name ActorModel
extends RefCounted
## What a ModelDelta says about one actor: everything, or only where it is now.

const AVATARS: int = 6

## The actor's number, the same in Disconnect and Despawn.
var id: int

## True for a full model: then name and avatar mean something too.
var full: bool = false

## Where the actor is, in world units.
var place: Vector2

var name: String = ""

## Which picture, 0 to AVATARS - 1.
var avatar: int = 0


## Reads the payload of a ModelDelta; null if it is not about an actor and a place.
static func from(payload: Dictionary) -> ActorModel:
	var instance: Dictionary = _inner(payload, "instanced_entity")
	if not (_is_number(payload.get("id")) and _is_number(instance.get("x")) and _is_number(instance.get("y"))):
		return null
	var model: ActorModel = ActorModel.new()
	model.id = int(payload["id"])
	model.place = Vector2(float(instance["x"]), float(instance["y"]))
	if not model.place.is_finite():
		return null
	var entity: Dictionary = _inner(instance, "entity")
	if entity.get("name") is String:
		model.full = true
		model.name = entity["name"]
		var picture: Variant = payload.get("avatar_id")
		if _is_number(picture):
			model.avatar = clampi(int(picture), 0, AVATARS - 1)
	return model


static func _inner(object: Dictionary, key: String) -> Dictionary:
	var inner: Variant = object.get(key)
	return inner if inner is Dictionary else {}


static func _is_number(value: Variant) -> bool:
	return value is float or value is int
