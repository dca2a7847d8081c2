class_name Walk
extends RefCounted
## Where the player's own actor is drawn: it walks at once, without waiting for the
## server, and what the server then tells about it corrects it gently.
##
## The server's news is old when it arrives, so it is compared with where the
## actor was drawn lately, not with where it is drawn now. Being on that trail means
## agreement. Otherwise the difference is made up for within a moment; a very large
## one at once.

## Units per second, as the server's default.
const SPEED: float = 70.0

## A larger difference is not corrected but jumped over.
const SNAP_DISTANCE: float = 200.0

## A smaller difference from the trail is rounding.
const TOLERANCE: float = 1.5

## How long the trail is remembered: more than the slowest link takes there and back.
const TRAIL_SECONDS: float = 2.0

## Share of a difference that is left after one second of correcting.
const LEFT_AFTER_SECOND: float = 0.001

## When the actor has arrived and the server has been silent for so long, the
## server's last word is where it stands.
const SETTLE_SECONDS: float = 1.0

## Where to draw the actor.
var place: Vector2

## Where it is going; equal to place when it stands.
var target: Vector2

var _told: Vector2 # the server's last word
var _told_at: float
var _debt: Vector2 = Vector2.ZERO # correction still to be made
var _trail_times: PackedFloat64Array = []
var _trail: PackedVector2Array = []


func _init(start: Vector2, now: float) -> void:
	jump(start, now)


## Stands at to, wherever it was before.
func jump(to: Vector2, now: float) -> void:
	place = to
	target = to
	_told = to
	_told_at = now
	_debt = Vector2.ZERO
	_trail_times = [now]
	_trail = [to]


## The player wants to go there.
func head_for(new_target: Vector2, now: float) -> void:
	target = new_target
	_told_at = now # the server's last word is about the old target: give it time


## The server says that the actor is at told.
func correct(told: Vector2, now: float) -> void:
	_told = told
	_told_at = now
	if place.distance_to(told) > SNAP_DISTANCE:
		jump(told, now)
		return
	var error: Vector2 = told - _nearest_on_trail(told)
	_debt = Vector2.ZERO if error.length() <= TOLERANCE else error


## Walks on for delta seconds.
func advance(delta: float, now: float) -> void:
	place = place.move_toward(target, SPEED * delta)
	if place == target and now - _told_at > SETTLE_SECONDS and place != _told:
		_debt = _told - place
	if _debt != Vector2.ZERO:
		var step: Vector2 = _debt * (1.0 - pow(LEFT_AFTER_SECOND, delta))
		if _debt.length() < 0.1:
			step = _debt
		var stands: bool = place == target
		_debt -= step
		place += step
		if stands:
			target = place
		for i: int in _trail.size():
			_trail[i] += step # or the same difference would be made up for twice
	_trail_times.append(now)
	_trail.append(place)
	while _trail_times.size() > 1 and now - _trail_times[0] > TRAIL_SECONDS:
		_trail_times.remove_at(0)
		_trail.remove_at(0)


## Whether it is on its way.
func walking() -> bool:
	return place != target


func _nearest_on_trail(point: Vector2) -> Vector2:
	var nearest: Vector2 = _trail[0]
	for i: int in _trail.size() - 1:
		var candidate: Vector2 = Geometry2D.get_closest_point_to_segment(point, _trail[i], _trail[i + 1])
		if candidate.distance_squared_to(point) < nearest.distance_squared_to(point):
			nearest = candidate
	return nearest
