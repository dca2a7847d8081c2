class_name AvatarButton
extends Button
## One avatar to choose: it walks while it is chosen, and stands and looks otherwise.

const SHEET: Texture2D = preload("res://art/avatars.png")
const FRAMES_PER_SECOND: float = 8.0

## The part of a cell with somebody in it, drawn twice as large.
const SEEN: Rect2 = Rect2(4, 2, 24, 30)
const NAMES: PackedStringArray = ["Ranger", "Innkeeper", "Wizard", "Fox", "Knight", "Frog"]

## Which one, 0 to ActorModel.AVATARS - 1.
@export var avatar: int = 0

var _clock: float = randf() * 5.0
var _picture: AtlasTexture = AtlasTexture.new()


func _ready() -> void:
	toggle_mode = true
	tooltip_text = NAMES[avatar]
	_picture.atlas = SHEET
	icon = _picture
	expand_icon = true
	icon_alignment = HORIZONTAL_ALIGNMENT_CENTER
	theme_type_variation = &"IconButton"
	add_theme_constant_override("icon_max_width", int(SEEN.size.x) * 2)
	_show_frame()


func _process(delta: float) -> void:
	if is_visible_in_tree():
		_clock += delta
		_show_frame()


func _show_frame() -> void:
	var column: int = 0
	if button_pressed:
		column = Actor.FIRST_WALK_FRAME + int(_clock * FRAMES_PER_SECOND) % Actor.WALK_FRAMES
	elif fmod(_clock, 5.0) < 0.12:
		column = 1
	_picture.region = Rect2(Vector2(Actor.CELL * column, Actor.CELL * 4 * avatar) + SEEN.position, SEEN.size)
