class_name Chat
extends PanelContainer
## What has been said, and the line to say something. Text is drawn letter for
## letter, whatever is in it; nothing in the log can be clicked.

## The player wants to say this; it is neither empty nor only spaces.
signal said(text: String)

## The oldest lines go when there are more than this.
const MOST_LINES: int = 200

const SYSTEM_COLOR: Color = Color(0.969, 0.812, 0.322)
const TIME_COLOR: Color = Color(0.85, 0.76, 0.7, 0.6)
const MY_COLOR: Color = Color(1.0, 0.949, 0.659)

## Names get one of these, always the same one for the same name.
const NAME_COLORS: PackedColorArray = [
	Color(0.624, 0.89, 0.949), Color(0.624, 0.808, 0.345), Color(0.969, 0.682, 0.749), Color(1.0, 0.706, 0.361),
	Color(0.741, 0.702, 1.0), Color(0.561, 0.878, 0.675), Color(0.949, 0.518, 0.361), Color(0.91, 0.812, 0.58),
]

## How far from the end the log may be scrolled and still follow it, in pixels.
const NEAR_END: float = 24.0

## Messages that came while the log was scrolled up.
var unread: int = 0

var _dragging: bool = false

@onready var _log: RichTextLabel = %Log
@onready var _input: LineEdit = %Input
@onready var _send: Button = %Send
@onready var _unread: Button = %Unread


func _ready() -> void:
	_input.text_submitted.connect(_submit)
	_input.focus_entered.connect(_show_active)
	_input.focus_exited.connect(_show_active)
	_send.pressed.connect(func() -> void: _submit(_input.text))
	_unread.pressed.connect(scroll_to_end)
	_log.gui_input.connect(_drag)
	_log.get_v_scroll_bar().value_changed.connect(_on_scrolled)
	_show_active()
	_show_unread()


## Adds what somebody said.
func add_line(speaker: String, text: String, mine: bool) -> void:
	_begin()
	if not speaker.is_empty():
		_log.push_color(MY_COLOR if mine else color_of(speaker))
		_log.add_text(Plain.line(speaker))
		_log.pop()
		_log.add_text("  ")
	_log.add_text(Plain.line(text))
	_end(mine)


## Adds a remark of the game itself.
func add_remark(text: String) -> void:
	_begin()
	_log.push_color(SYSTEM_COLOR)
	_log.add_text(Plain.line(text))
	_log.pop()
	_end(false)


func clear() -> void:
	_log.clear()
	_input.clear()
	unread = 0
	_show_unread()


## Puts the cursor into the line.
func start_typing() -> void:
	_input.grab_focus()
	_input.edit()


## Gives the keyboard back to the game.
func stop_typing() -> void:
	_input.release_focus()


func typing() -> bool:
	return _input.has_focus()


func scroll_to_end() -> void:
	_log.scroll_to_line(maxi(0, _log.get_line_count() - 1))
	var bar: VScrollBar = _log.get_v_scroll_bar()
	bar.value = bar.max_value
	unread = 0
	_show_unread()


## The log as text, for tests.
func plain_text() -> String:
	return _log.get_parsed_text()


static func color_of(speaker: String) -> Color:
	return NAME_COLORS[speaker.hash() % NAME_COLORS.size()]


func _begin() -> void:
	if _log.get_paragraph_count() > MOST_LINES:
		_log.remove_paragraph(0)
	if not _log.get_parsed_text().is_empty():
		_log.newline()
	var time: Dictionary = Time.get_time_dict_from_system()
	_log.push_color(TIME_COLOR)
	_log.add_text("%02d:%02d  " % [time["hour"], time["minute"]])
	_log.pop()


func _end(mine: bool) -> void:
	if mine:
		scroll_to_end.call_deferred()
	elif not is_visible_in_tree() or not _at_end():
		unread += 1
	_show_unread()


func _at_end() -> bool:
	var bar: VScrollBar = _log.get_v_scroll_bar()
	return bar.value + bar.page >= bar.max_value - NEAR_END


func _on_scrolled(_value: float) -> void:
	if _at_end():
		unread = 0
		_show_unread()


func _show_unread() -> void:
	_unread.visible = unread > 0
	_unread.text = "%d new" % unread


func _submit(text: String) -> void:
	if text.strip_edges().is_empty():
		stop_typing()
		return
	_input.clear()
	said.emit(Plain.line(text).strip_edges())


## The log is clearer to read while the player types.
func _show_active() -> void:
	self_modulate.a = 1.0 if _input.has_focus() else 0.8


## A finger, or the mouse, pulls the log.
func _drag(event: InputEvent) -> void:
	var button: InputEventMouseButton = event as InputEventMouseButton
	if button != null and button.button_index == MOUSE_BUTTON_LEFT:
		_dragging = button.pressed
	var motion: InputEventMouseMotion = event as InputEventMouseMotion
	if motion != null and _dragging:
		_log.get_v_scroll_bar().value -= motion.relative.y
