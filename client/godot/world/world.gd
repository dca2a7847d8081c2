class_name World
extends Node2D
## The world as one player sees it: the map, the actors, and the camera on its own.

## The player wants to walk there. Sent on at once, and a few times a second while the
## pointer is held down.
signal walk_wanted(target: Vector2)

## Somebody has come into view, or has gone.
signal neighbours_changed

const ACTOR: PackedScene = preload("res://world/actor.tscn")
const PUFF: PackedScene = preload("res://world/puff.tscn")

## How often a held pointer may change the target.
const HOLD_SECONDS: float = 0.2

var actors: Dictionary[int, Actor] = {}

## The player's own actor; null while nobody is logged in.
var me: Actor

## Nobody hears where the player wants to go, so the player stays.
var frozen: bool = false

## How far below the player the middle of the screen is: where something covers the
## lower part of the screen, the player is drawn in the middle of the rest.
var view_offset: Vector2 = Vector2.ZERO

var _tracks: Dictionary[int, Track] = {}
var _walk: Walk
var _holding: bool = false
var _hold_wait: float = 0.0
var _tour: float = 0.0 # seconds of looking around while nobody is logged in

@onready var map: WorldMap = $Map
@onready var _camera: Camera2D = $Camera
@onready var _marker: Sprite2D = $Marker


func _ready() -> void:
	_camera.limit_left = int(map.bounds.position.x)
	_camera.limit_top = int(map.bounds.position.y)
	_camera.limit_right = int(map.bounds.end.x)
	_camera.limit_bottom = int(map.bounds.end.y)
	_marker.reparent(map)
	map.move_child(_marker, map.sorted.get_index()) # on the ground, under everybody's feet


## Starts anew with nobody but the player.
func enter(model: ActorModel) -> void:
	clear()
	me = _add(model, true)
	_walk = Walk.new(model.place, _now())
	neighbours_changed.emit()


## Forgets everybody.
func clear() -> void:
	for actor: Actor in actors.values():
		actor.queue_free()
	actors.clear()
	_tracks.clear()
	me = null
	_walk = null
	_holding = false
	_marker.hide()
	neighbours_changed.emit()


## Takes the server's word about one actor.
func apply(model: ActorModel) -> void:
	if me != null and model.id == me.id:
		_walk.correct(model.place, _now())
	elif _tracks.has(model.id):
		_tracks[model.id].push(model.place, _now())
	elif model.full:
		_add(model, false)
		_tracks[model.id] = Track.new(model.place, _now())
		neighbours_changed.emit()
	# A delta of somebody unknown cannot be drawn; the full model will come.


## Removes an actor, and gives its name, or "" if there was none.
func remove(id: int, with_puff: bool) -> String:
	var actor: Actor = actors.get(id)
	if actor == null or actor == me:
		return ""
	if with_puff:
		var puff: Node2D = PUFF.instantiate()
		puff.position = actor.position
		map.sorted.add_child(puff)
	actors.erase(id)
	_tracks.erase(id)
	actor.queue_free()
	neighbours_changed.emit()
	return actor.actor_name


## Shows what the actor of that name says, if it is in sight.
func bubble(speaker: String, text: String) -> void:
	for actor: Actor in actors.values():
		if actor.actor_name == speaker:
			actor.say(text)
			return


## Starts walking there, before the server knows.
func walk_to(target: Vector2) -> void:
	if _walk == null or frozen:
		return
	var inside: Vector2 = map.clamped(target)
	_walk.head_for(inside, _now())
	_marker.position = inside
	_marker.show()
	walk_wanted.emit(inside)


## Everybody else in sight, the nearest first.
func neighbours() -> Array[Actor]:
	var others: Array[Actor] = []
	for actor: Actor in actors.values():
		if actor != me:
			others.append(actor)
	if me != null:
		others.sort_custom(func(a: Actor, b: Actor) -> bool:
			return a.place.distance_squared_to(me.place) < b.place.distance_squared_to(me.place))
	return others


func _process(delta: float) -> void:
	var now: float = _now()
	for id: int in _tracks:
		var place: Vector2 = _tracks[id].sample(now)
		actors[id].step(place, delta, map.swims(place))
	if me != null:
		_walk.advance(delta, now)
		me.step(_walk.place, delta, map.swims(_walk.place))
		_follow(_walk.place)
		_marker.visible = _marker.visible and _walk.walking()
		_marker.frame = int(now * 8.0) % 4
		_hold(delta)
	else:
		_tour += delta
		_follow(map.spawn + Vector2(sin(_tour * 0.05) * 420.0, sin(_tour * 0.083) * 260.0))


func _unhandled_input(event: InputEvent) -> void:
	var button: InputEventMouseButton = event as InputEventMouseButton
	if button == null or button.button_index != MOUSE_BUTTON_LEFT or me == null:
		return
	_holding = button.pressed
	if button.pressed:
		_hold_wait = HOLD_SECONDS
		walk_to(_point_at(button.position))
		get_viewport().set_input_as_handled()


func _hold(delta: float) -> void:
	_holding = _holding and Input.is_mouse_button_pressed(MOUSE_BUTTON_LEFT)
	if not _holding:
		return
	_hold_wait -= delta
	var target: Vector2 = map.clamped(_point_at(get_viewport().get_mouse_position()))
	if _hold_wait <= 0.0 and target.distance_to(_walk.target) > 8.0:
		_hold_wait = HOLD_SECONDS
		walk_to(target)


func _point_at(on_screen: Vector2) -> Vector2:
	return get_viewport().get_canvas_transform().affine_inverse() * on_screen


func _follow(place: Vector2) -> void:
	_camera.position = (place + view_offset).snapped(Vector2(Actor.pixel, Actor.pixel))


func _add(model: ActorModel, mine: bool) -> Actor:
	var actor: Actor = ACTOR.instantiate()
	map.sorted.add_child(actor)
	actor.introduce(model, mine)
	actors[model.id] = actor
	return actor


## Seconds of a clock that only runs forwards.
func _now() -> float:
	return Time.get_ticks_usec() / 1e6
