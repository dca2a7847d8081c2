class_name Track
extends RefCounted
## Where somebody else's actor is drawn: a little in the past, on the line between
## two places that the server has told, so that it glides though news comes only a few
## times a second.
##
## Times are seconds of one local clock that never runs backwards.

## A step longer than this is no walk: the actor is put there.
const SNAP_DISTANCE: float = 200.0

## Bounds of how far in the past an actor is drawn.
const LEAST_DELAY: float = 0.1
const MOST_DELAY: float = 0.6

## News after a longer silence than this says that a walk begins, not how often
## news comes.
const PAUSE_SECONDS: float = 0.7

## How fast the delay follows the rhythm of the news: seconds per second. Slow
## enough for nobody to see the walk speed up.
const DELAY_SLEW: float = 0.1

var _times: PackedFloat64Array = []
var _places: PackedVector2Array = []
var _interval: float = 0.1 # smoothed time between two pieces of news
var _delay: float = 0.15
var _asked: float = -INF # when sample was called last


func _init(place: Vector2, now: float) -> void:
	jump(place, now)


## Forgets the past and stands at place.
func jump(place: Vector2, now: float) -> void:
	_times = [now]
	_places = [place]


## The server says that the actor is at place.
func push(place: Vector2, now: float) -> void:
	var last: int = _times.size() - 1
	var silence: float = now - _times[last]
	if _places[last].distance_to(place) > SNAP_DISTANCE:
		jump(place, now)
		return
	if silence > PAUSE_SECONDS:
		# It stood, and left no more than one interval ago.
		_times.append(now - _interval)
		_places.append(_places[last])
	elif silence > 0.0:
		_interval = lerpf(_interval, silence, 0.2)
	_times.append(now)
	_places.append(place)


## Where to draw the actor now.
func sample(now: float) -> Vector2:
	var wanted: float = clampf(_interval * 1.5 + 0.05, LEAST_DELAY, MOST_DELAY)
	_delay = move_toward(_delay, wanted, DELAY_SLEW * clampf(now - _asked, 0.0, 1.0))
	_asked = now
	var time: float = now - _delay
	while _times.size() > 1 and _times[1] <= time:
		_times.remove_at(0)
		_places.remove_at(0)
	if _times.size() == 1 or time <= _times[0]:
		return _places[0]
	return _places[0].lerp(_places[1], (time - _times[0]) / (_times[1] - _times[0]))


## The newest place that the server told.
func newest() -> Vector2:
	return _places[_places.size() - 1]
