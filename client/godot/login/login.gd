class_name Login
extends Control
## The first screen: which server, who, and the way in. It shows what it is
## told and says what the player wants; it knows no connection.

signal login_wanted(name_typed: String, password: String)
signal register_wanted(name_typed: String, password: String, avatar: int)

## Another server has been typed in. The address is a valid one.
signal server_wanted(url: String)

const ERROR_COLOR: Color = Color(1.0, 0.58, 0.46)
const CALM_COLOR: Color = Color(1.0, 0.949, 0.851)

@onready var _name: LineEdit = %Name
@onready var _password: LineEdit = %Password
@onready var _server: LineEdit = %Server
@onready var _message: Label = %Message
@onready var _enter: Button = %Enter
@onready var _old_player: Button = %OldPlayer
@onready var _new_player: Button = %NewPlayer
@onready var _avatars: GridContainer = %Avatars
@onready var _avatar_row: Control = %AvatarRow
@onready var _card: Control = %Card
@onready var _logo: TextureRect = %Logo


func _ready() -> void:
	var group: ButtonGroup = ButtonGroup.new()
	for avatar: int in ActorModel.AVATARS:
		var button: AvatarButton = AvatarButton.new()
		button.avatar = avatar
		button.button_group = group
		button.button_pressed = avatar == 0
		button.custom_minimum_size = Vector2(56, 76)
		button.size_flags_horizontal = Control.SIZE_EXPAND_FILL
		_avatars.add_child(button)
	var tabs: ButtonGroup = ButtonGroup.new()
	_old_player.button_group = tabs
	_new_player.button_group = tabs
	_new_player.toggled.connect(_show_tab)
	_name.text_submitted.connect(func(_text: String) -> void: _password.grab_focus(); _password.edit())
	_password.text_submitted.connect(func(_text: String) -> void: _submit())
	_enter.pressed.connect(_submit)
	_server.text_submitted.connect(func(_text: String) -> void: _choose_server())
	_server.focus_exited.connect(_choose_server)
	visibility_changed.connect(_on_shown)
	resized.connect(_fit)
	_show_tab(false)
	_fit()


## Fills in what is known from last time.
func fill(name_known: String, avatar: int, server: String) -> void:
	_name.text = name_known
	_server.text = server
	(_avatars.get_child(clampi(avatar, 0, ActorModel.AVATARS - 1)) as Button).button_pressed = true
	_old_player.button_pressed = not name_known.is_empty()
	_new_player.button_pressed = name_known.is_empty()
	_on_shown()


## Shows what is going on.
func tell(text: String) -> void:
	_show_message(text, CALM_COLOR)


## Shows what went wrong.
func complain(text: String) -> void:
	_show_message(text, ERROR_COLOR)


## While an answer is due nothing more can be asked.
func set_busy(busy: bool) -> void:
	_enter.disabled = busy


func chosen_avatar() -> int:
	for child: Node in _avatars.get_children():
		var button: AvatarButton = child as AvatarButton
		if button.button_pressed:
			return button.avatar
	return 0


func server_text() -> String:
	return _server.text


func message() -> String:
	return _message.text


## The password has done its work, or was wrong.
func clear_password() -> void:
	_password.clear()


func _submit() -> void:
	if _enter.disabled:
		return
	var who: String = _name.text.strip_edges()
	if who.is_empty():
		complain("Please type a name")
		_name.grab_focus()
	elif _password.text.is_empty():
		complain("Please type a password")
		_password.grab_focus()
	elif _new_player.button_pressed:
		register_wanted.emit(who, _password.text, chosen_avatar())
	else:
		login_wanted.emit(who, _password.text)


func _choose_server() -> void:
	var url: String = ServerAddress.parse(_server.text)
	if url.is_empty():
		complain("That is not the address of a server")
	else:
		server_wanted.emit(url)


func _show_tab(new_player: bool) -> void:
	_avatar_row.visible = new_player
	_enter.text = "Create and enter" if new_player else "Enter"
	_show_message("", CALM_COLOR)


func _show_message(text: String, color: Color) -> void:
	_message.text = Plain.line(text)
	_message.add_theme_color_override("font_color", color)


func _on_shown() -> void:
	if is_visible_in_tree():
		var field: LineEdit = _name if _name.text.is_empty() else _password
		field.grab_focus.call_deferred()


## Phones: the card as wide as the screen, avatars in two rows, no logo where it is low.
func _fit() -> void:
	_card.custom_minimum_size.x = minf(400.0, size.x - 24.0)
	_avatars.columns = 6 if size.x >= 400.0 else 3
	_logo.visible = size.y >= 560.0
	_message.custom_minimum_size.y = 46.0 if size.y >= 560.0 else 0.0
