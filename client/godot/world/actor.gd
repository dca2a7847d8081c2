class_name Actor
extends Node2D
## One actor as it is drawn: shadow, picture, name and what it says. It is told where
## to stand, and finds out by itself which way it looks and whether it walks.

const CELL: int = 32
const FEET: Vector2 = Vector2(16, 29)

## In water only so much of the cell is seen, and so much lower.
const SWIM_ROWS: int = 23
const SWIM_DEPTH: float = 4.0

## Way for one picture of the walk: 8 of them in the second at 70 units per second.
const STRIDE: float = 70.0 / 8.0
const WALK_FRAMES: int = 4
const FIRST_WALK_FRAME: int = 2

enum Facing { DOWN, LEFT, RIGHT, UP }

## Side of a pixel of the screen in world units: actors stand on whole pixels.
static var pixel: float = 1.0

var id: int
var actor_name: String
var avatar: int
var facing: Facing = Facing.DOWN

## Where the actor is; its position is this on the grid of the screen's pixels.
var place: Vector2

var _speed: float = 0.0 # smoothed, in units per second
var _way: float = 0.0
var _blink_in: float = randf_range(1.0, 5.0)
var _swims: bool = false
var _ripple_clock: float = randf()

@onready var _body: Sprite2D = $Body
## The own picture once more, faint and over everything: it shows only where a house or a
## tree hides the player.
@onready var _ghost: Sprite2D = $Ghost
@onready var _shadow: Sprite2D = $Shadow
@onready var _ripple: Sprite2D = $Ripple
@onready var _label: Label = $Name
@onready var _bubble: Bubble = $Bubble


## Call once it is in the tree.
func introduce(model: ActorModel, mine: bool) -> void:
	id = model.id
	actor_name = model.name
	avatar = model.avatar
	_label.text = Plain.line(actor_name)
	if mine:
		_label.add_theme_color_override("font_color", Color(1.0, 0.949, 0.659))
	_ghost.visible = mine
	_label.reset_size()
	_label.position = Vector2(-_label.size.x / 2.0, _label.position.y).round()
	stand(model.place)


## Puts it somewhere without a walk.
func stand(at: Vector2) -> void:
	place = at
	_speed = 0.0
	_draw_at(at)


## Goes on to a place near by, within delta seconds.
func step(to: Vector2, delta: float, swimming: bool) -> void:
	var way: Vector2 = to - place
	place = to
	if delta > 0.0:
		_speed = lerpf(_speed, way.length() / delta, 1.0 - exp(-delta * 20.0))
	_way += way.length()
	_turn(way)
	_swims = swimming
	_animate(delta)
	_draw_at(to)


## Shows a bubble over its head.
func say(text: String) -> void:
	_bubble.show_text(text)


func walking() -> bool:
	return _speed > 8.0


func _draw_at(at: Vector2) -> void:
	position = at.snapped(Vector2(pixel, pixel))


func _turn(way: Vector2) -> void:
	if way.length() < 0.02:
		return
	# On a diagonal the present axis wins, or the picture would flicker.
	var sideways: bool = facing == Facing.LEFT or facing == Facing.RIGHT
	var preference: float = 1.3 if sideways else 1.0 / 1.3
	if absf(way.x) * preference > absf(way.y):
		facing = Facing.LEFT if way.x < 0.0 else Facing.RIGHT
	else:
		facing = Facing.UP if way.y < 0.0 else Facing.DOWN


func _animate(delta: float) -> void:
	var column: int = 0
	if walking():
		column = FIRST_WALK_FRAME + int(_way / STRIDE) % WALK_FRAMES
	else:
		_blink_in -= delta
		if _blink_in < 0.0:
			column = 1
		if _blink_in < -0.12:
			_blink_in = randf_range(2.0, 6.0)
	var rows: int = SWIM_ROWS if _swims else CELL
	_body.region_rect = Rect2(CELL * column, CELL * (4 * avatar + facing), CELL, rows)
	_body.offset = -FEET + Vector2(0.0, SWIM_DEPTH if _swims else 0.0)
	_ghost.region_rect = _body.region_rect
	_ghost.offset = _body.offset
	_shadow.visible = not _swims
	_ripple.visible = _swims
	if _swims:
		_ripple_clock += delta
		_ripple.frame_coords = Vector2i(int(_ripple_clock * 5.0) % 4, 1)
