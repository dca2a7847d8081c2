class_name Main
extends Node
## Puts the parts together: the session tells what happens, the world and the chat show
## it, the login screen asks. Whoever wants another game begins by changing this file.

## From this width on there is room for the chat beside the world, in units.
const WIDE: float = 640.0

var _settings: Settings
var _online_before: bool = false # since the player entered, to greet only once

@onready var session: Session = $Session
@onready var world: World = $World
@onready var login: Login = %Login
@onready var chat: Chat = %Chat
@onready var near: Near = %Near

@onready var _safe: MarginContainer = %Safe
@onready var _game: Control = %Game
@onready var _veil: ColorRect = %Veil
@onready var _state: Label = %State
@onready var _state_icon: TextureRect = %StateIcon
@onready var _state_panel: Control = %StatePanel
@onready var _chat_box: Control = %ChatBox
@onready var _chat_toggle: Button = %ChatToggle
@onready var _leave: Button = %Leave


func _ready() -> void:
	var arguments: Dictionary[String, String] = _arguments()
	_settings = Settings.new(arguments.get("settings", "user://settings.cfg"))
	if arguments.has("server"):
		_settings.server = arguments["server"]
	get_tree().quit_on_go_back = false
	get_window().min_size = Vector2i(300, 300)
	get_window().size_changed.connect(_fit)

	session.changed.connect(_show_state)
	session.registered.connect(func() -> void: login.tell("Welcome! Entering…"))
	session.entered.connect(_on_entered)
	session.refused.connect(_on_refused)
	session.left.connect(_on_left)
	session.lost.connect(func() -> void: chat.add_remark("Connection lost"))
	session.chat_received.connect(_on_chat)
	session.model_received.connect(world.apply)
	session.actor_removed.connect(_on_actor_removed)
	login.login_wanted.connect(_on_login_wanted)
	login.register_wanted.connect(_on_register_wanted)
	login.server_wanted.connect(_on_server_wanted)
	chat.said.connect(_on_said)
	world.walk_wanted.connect(_on_walk_wanted)
	world.neighbours_changed.connect(func() -> void: near.show_neighbours(world.neighbours()))
	_leave.pressed.connect(session.leave)
	_chat_toggle.toggled.connect(func(open: bool) -> void: _show_chat(open))

	_fit()
	login.fill(_settings.player, _settings.avatar, ServerAddress.readable(_server()))
	session.connect_to(_server())
	_show_stage(false)
	_show_state()


func _process(_delta: float) -> void:
	if session.retry_seconds() > 0.0:
		_show_state()
	# The order of the near ones changes as they walk; twice a second is plenty.
	if Engine.get_process_frames() % 30 == 0 and _game.visible:
		near.show_neighbours(world.neighbours())
	if DisplayServer.has_feature(DisplayServer.FEATURE_VIRTUAL_KEYBOARD):
		_keep_clear()


func _unhandled_input(event: InputEvent) -> void:
	if not _game.visible:
		return
	if event.is_action_pressed("ui_text_submit") or event.is_action_pressed("ui_text_newline"):
		_show_chat(true)
		chat.start_typing()
		get_viewport().set_input_as_handled()
	elif event is InputEventMouseButton and event.is_pressed():
		chat.stop_typing() # whoever walks does not write; on phones the keyboard goes


func _input(event: InputEvent) -> void:
	if event.is_action_pressed("ui_cancel") and _game.visible:
		_back()
		get_viewport().set_input_as_handled()


func _notification(what: int) -> void:
	if what == NOTIFICATION_WM_GO_BACK_REQUEST and _game.visible:
		_back()


## Esc, and Android's back: out of the line first, then out of the world.
func _back() -> void:
	if chat.typing():
		chat.stop_typing()
	else:
		session.leave()


func _on_login_wanted(name_typed: String, password: String) -> void:
	login.tell("Entering…")
	session.log_in(name_typed, password)


func _on_register_wanted(name_typed: String, password: String, avatar: int) -> void:
	login.tell("Creating your account…")
	_settings.avatar = avatar
	session.register(name_typed, password, avatar)


func _on_server_wanted(url: String) -> void:
	_settings.server = url
	session.connect_to(url)


func _on_entered(me: ActorModel) -> void:
	_settings.player = me.name
	_settings.save()
	world.enter(me)
	login.clear_password()
	_show_stage(true)
	near.set_open(_wide() and world.get_viewport_rect().size.y >= 480.0)
	if _online_before:
		chat.add_remark("You are back")
	else:
		var how: String = "Tap to walk." if DisplayServer.is_touchscreen_available() else "Click to walk, Enter to talk, Esc to leave."
		chat.add_remark("Welcome, %s! %s" % [me.name, how])
	_online_before = true


func _on_refused(reason: String) -> void:
	login.set_busy(false)
	if _game.visible:
		chat.add_remark(reason)
	login.complain(reason)


func _on_left() -> void:
	_online_before = false
	world.clear()
	chat.clear()
	_show_stage(false)


func _on_chat(speaker: String, text: String) -> void:
	chat.add_line(speaker, text, false)
	world.bubble(speaker, text)
	_show_unread()


func _on_said(text: String) -> void:
	if session.say(text):
		chat.add_line(session.my_name, text, true)
		world.bubble(session.my_name, text)
	else:
		chat.add_remark("Not connected: nobody heard that")


func _on_walk_wanted(target: Vector2) -> void:
	session.walk_to(target)


func _on_actor_removed(id: int, left_game: bool) -> void:
	var who: String = world.remove(id, left_game)
	if left_game and not who.is_empty():
		chat.add_remark("%s has left" % who)
		_show_unread()


func _show_stage(in_world: bool) -> void:
	_game.visible = in_world
	login.visible = not in_world
	_shade()
	_fit()
	if in_world:
		get_viewport().gui_release_focus()


func _show_state() -> void:
	var wait: int = ceili(session.retry_seconds())
	var words: String = ""
	match session.stage:
		Session.Stage.OFFLINE:
			words = "Not connected"
		Session.Stage.CONNECTING:
			words = "Connecting…" if wait == 0 else "No connection. Trying again in %d s" % wait
		Session.Stage.READY, Session.Stage.ASKING, Session.Stage.ENTERING:
			words = "Coming back…" if session.returning() else "Connected"
		Session.Stage.IN_WORLD:
			words = "Connected"
	var good: bool = session.stage >= Session.Stage.READY
	_state.text = words
	(_state_icon.texture as AtlasTexture).region.position.x = 48.0 if good else 64.0
	_state_icon.modulate = Color(0.65, 0.95, 0.55) if good else Color(1.0, 0.6, 0.45)
	_state_panel.visible = session.stage != Session.Stage.IN_WORLD
	world.frozen = session.stage != Session.Stage.IN_WORLD
	_shade()
	login.set_busy(session.stage == Session.Stage.ASKING or session.stage == Session.Stage.ENTERING)


## Darkens the world while it is not the player's: behind the login, and while the connection is lost.
func _shade() -> void:
	_veil.color.a = 0.3 if login.visible else 0.45 if session.returning() else 0.0


func _show_chat(open: bool) -> void:
	_chat_toggle.set_pressed_no_signal(open)
	_chat_box.visible = open
	if open:
		chat.scroll_to_end()
	else:
		chat.stop_typing()
	_show_unread()
	_fit()


## The mark on the button of a folded chat.
func _show_unread() -> void:
	var hidden_lines: bool = not _chat_box.visible and chat.unread > 0
	_chat_toggle.text = str(chat.unread) if hidden_lines else ""


func _fit() -> void:
	var window: Window = get_window()
	var density: float = DisplayServer.screen_get_scale()
	var scale: float = ScreenFit.scale_for(window.size, density)
	window.content_scale_factor = scale
	Actor.pixel = 1.0 / scale
	_keep_clear()
	var size: Vector2 = Vector2(window.size) / scale
	_chat_box.custom_minimum_size = Vector2(440.0 if _wide() else 0.0, clampf(size.y * 0.36, 150.0, 280.0))
	_chat_box.size_flags_horizontal = Control.SIZE_SHRINK_BEGIN if _wide() else Control.SIZE_FILL
	var covered: bool = _game.visible and _chat_box.visible and not _wide()
	world.view_offset = Vector2(0.0, _chat_box.custom_minimum_size.y / 2.0) if covered else Vector2.ZERO
	# Where the screen is low the login card needs its middle.
	_state_panel.get_parent_control().size_flags_horizontal = Control.SIZE_SHRINK_BEGIN if size.y < 560.0 else Control.SIZE_SHRINK_CENTER


## Whether there is room for more than the world and the chat.
func _wide() -> bool:
	return get_window().size.x / get_window().content_scale_factor >= WIDE


func _keep_clear() -> void:
	var window: Vector2i = get_window().size
	var safe: Rect2i = DisplayServer.get_display_safe_area() if OS.has_feature("mobile") else Rect2i(Vector2i.ZERO, window)
	var keyboard: int = DisplayServer.virtual_keyboard_get_height() if DisplayServer.has_feature(DisplayServer.FEATURE_VIRTUAL_KEYBOARD) else 0
	var free: Vector4 = ScreenFit.margins(window, safe, keyboard, get_window().content_scale_factor)
	_safe.add_theme_constant_override("margin_left", int(free.x) + 12)
	_safe.add_theme_constant_override("margin_top", int(free.y) + 12)
	_safe.add_theme_constant_override("margin_right", int(free.z) + 12)
	_safe.add_theme_constant_override("margin_bottom", int(free.w) + 12)


## The server's address: as chosen, or where a web page came from, or this machine.
func _server() -> String:
	var chosen: String = ServerAddress.parse(_settings.server) if not _settings.server.is_empty() else ""
	if not chosen.is_empty():
		return chosen
	if OS.has_feature("web"):
		var host: Variant = JavaScriptBridge.eval("location.host")
		var secure: bool = JavaScriptBridge.eval("location.protocol") == "https:"
		if host is String and host != "":
			return "%s://%s" % ["wss" if secure else "ws", host]
	return ServerAddress.DEFAULT


## --server=… and --settings=… after "--" on the command line; on the web ?server=…
func _arguments() -> Dictionary[String, String]:
	var arguments: Dictionary[String, String] = {}
	for argument: String in OS.get_cmdline_user_args():
		var parts: PackedStringArray = argument.trim_prefix("--").split("=", true, 1)
		if parts.size() == 2:
			arguments[parts[0]] = parts[1]
	if OS.has_feature("web"):
		var server: Variant = JavaScriptBridge.eval("new URLSearchParams(location.search).get('server') || ''")
		if server is String and server != "":
			arguments["server"] = server
	return arguments
