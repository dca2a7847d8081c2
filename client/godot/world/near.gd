class_name Near
extends PanelContainer
## Who is near: how many others are in sight, and their names, the nearest first.

## More names than this would fill the screen.
const MOST_NAMES: int = 8

@onready var _toggle: Button = %Toggle
@onready var _names: Label = %Names


func _ready() -> void:
	_toggle.toggled.connect(func(open: bool) -> void: _names.visible = open)


## Folds the names away, or shows them.
func set_open(open: bool) -> void:
	_toggle.button_pressed = open
	_names.visible = open


func show_neighbours(neighbours: Array[Actor]) -> void:
	_toggle.text = str(neighbours.size())
	_toggle.tooltip_text = "Who is near"
	var lines: PackedStringArray = []
	for actor: Actor in neighbours.slice(0, MOST_NAMES):
		lines.append(Plain.line(actor.actor_name))
	if neighbours.size() > MOST_NAMES:
		lines.append("and %d more" % (neighbours.size() - MOST_NAMES))
	_names.text = "Nobody is near" if lines.is_empty() else "\n".join(lines)
	reset_size.call_deferred()
