class_name Bubble
extends PanelContainer
## What an actor has just said, over its head for as long as it takes to read.

const MOST_WIDTH: float = 220.0

## Longer texts are cut here; the chat log has them whole.
const MOST_LETTERS: int = 140

## How long a text is shown: a moment to notice it, and then by its length.
const SECONDS: float = 3.0
const SECONDS_PER_LETTER: float = 0.05

## How high over the feet, past the name; and how near to the edge of the screen.
const ABOVE: float = 76.0
const EDGE: float = 4.0

var _left: float = 0.0

@onready var _label: Label = $Text


func _ready() -> void:
	_rest()


func show_text(text: String) -> void:
	var safe: String = Plain.line(text)
	if safe.length() > MOST_LETTERS:
		safe = safe.left(MOST_LETTERS - 1) + "…"
	_left = SECONDS + SECONDS_PER_LETTER * safe.length()
	# As narrow as the text allows; then as many lines as it needs.
	var font: Font = _label.get_theme_font("font")
	var width: float = font.get_string_size(safe, HORIZONTAL_ALIGNMENT_LEFT, -1.0, _label.get_theme_font_size("font_size")).x
	_label.custom_minimum_size.x = minf(ceilf(width) + 2.0, MOST_WIDTH)
	_label.text = safe
	modulate.a = 1.0
	show()
	set_process(true)
	_place.call_deferred()


func _process(delta: float) -> void:
	_left -= delta
	modulate.a = clampf(_left / 0.4, 0.0, 1.0)
	if _left <= 0.0:
		_rest()
	else:
		_place()


## Costs nothing until there is something to show.
func _rest() -> void:
	hide()
	set_process(false)


## Keeps the tail over the head whatever the size.
func _place() -> void:
	reset_size()
	position = Vector2(-size.x / 2.0, -size.y - ABOVE).round()
	# Not cut off at the edge of the screen, as long as the speaker is on it.
	var seen: Rect2 = get_viewport().get_canvas_transform().affine_inverse() * get_viewport_rect()
	var head: Vector2 = (get_parent() as Node2D).global_position
	if seen.has_point(head):
		var least: float = seen.position.x + EDGE - head.x
		var most: float = maxf(least, seen.end.x - EDGE - size.x - head.x)
		position.x = clampf(position.x, least, most)
