extends Check
## What strangers write, drawn.

const CHAT: PackedScene = preload("res://chat/chat.tscn")


func test_plain_line() -> void:
	equal(Plain.line("a\nb\tc\r\u0007d\u001b[31m"), "a b c d[31m", "control characters")
	equal(Plain.line("ann\u202egnp.exe\u2066"), "anngnp.exe", "turned writing")
	equal(Plain.line("👩‍👩‍👧 é 字 \"<b>&\""), "👩‍👩‍👧 é 字 \"<b>&\"", "everything else stays")


func test_plain_bbcode() -> void:
	equal(Plain.bbcode("[b]x[/b] [url=http://x]"), "[lb]b]x[lb]/b] [lb]url=http://x]", "brackets")


func test_plain_fit() -> void:
	equal(Plain.fit("héllo", 3), "hé", "a character is whole")
	equal(Plain.fit("😀😀", 7), "😀", "an emoji is whole")
	equal(Plain.fit("short", 100), "short", "short enough")


func test_chat_draws_letter_for_letter() -> void:
	var tree: SceneTree = Engine.get_main_loop()
	var chat: Chat = CHAT.instantiate()
	tree.root.add_child(chat)
	var nasty: String = "[b]bold[/b] [url=http://x]click[/url] [img]res://icon.png[/img] <i>\"'& 😀"
	chat.add_line("[color=red]ann", nasty, false)
	chat.add_remark("two\nlines")
	var lines: PackedStringArray = chat.plain_text().split("\n")
	equal(lines.size(), 2, "lines")
	truth(lines[0].ends_with("[color=red]ann  " + nasty), "as written: " + lines[0])
	truth(lines[1].ends_with("two lines"), "one remark, one line: " + lines[1])
	for i: int in Chat.MOST_LINES + 50:
		chat.add_line("bob", str(i), false)
	lines = chat.plain_text().split("\n")
	between(lines.size(), Chat.MOST_LINES - 1, Chat.MOST_LINES + 1, "lines kept")
	truth(lines[lines.size() - 1].ends_with(str(Chat.MOST_LINES + 49)), "the newest is kept")
	chat.queue_free()
	await tree.process_frame


func test_chat_says() -> void:
	var tree: SceneTree = Engine.get_main_loop()
	var chat: Chat = CHAT.instantiate()
	tree.root.add_child(chat)
	var said: PackedStringArray = []
	chat.said.connect(func(text: String) -> void: said.append(text))
	var input: LineEdit = chat.get_node("%Input")
	for typed: String in ["  hello ", "   ", ""]:
		input.text = typed
		input.text_submitted.emit(input.text)
	equal(said, PackedStringArray(["hello"]), "only what is something")
	equal(input.text, "", "the line is empty again")
	chat.queue_free()
	await tree.process_frame


func test_chat_unread() -> void:
	var tree: SceneTree = Engine.get_main_loop()
	var chat: Chat = CHAT.instantiate()
	chat.size = Vector2(400, 200)
	tree.root.add_child(chat)
	for i: int in 50:
		chat.add_line("bob", "line %d" % i, false)
		await tree.process_frame
	equal(chat.unread, 0, "whoever looks at the end has read it")
	var bar: VScrollBar = (chat.get_node("%Log") as RichTextLabel).get_v_scroll_bar()
	bar.value = 0.0
	chat.add_line("bob", "news", false)
	await tree.process_frame
	equal(chat.unread, 1, "scrolled up")
	equal(bar.value, 0.0, "the log stays where the reader is")
	truth((chat.get_node("%Unread") as Button).visible, "the mark is shown")
	chat.scroll_to_end()
	equal(chat.unread, 0, "read")
	chat.hide()
	chat.add_line("bob", "more", false)
	equal(chat.unread, 1, "folded away")
	chat.queue_free()
	await tree.process_frame


func test_bubble() -> void:
	var tree: SceneTree = Engine.get_main_loop()
	var bubble: Bubble = (load("res://world/bubble.tscn") as PackedScene).instantiate()
	var speaker: Node2D = Node2D.new()
	speaker.add_child(bubble)
	tree.root.add_child(speaker)
	truth(not bubble.visible, "nothing said yet")
	bubble.show_text("[b]hi[/b]\n" + "word ".repeat(100))
	var label: Label = bubble.get_node("Text")
	truth(bubble.visible and label.text.begins_with("[b]hi[/b] word"), "as written: " + label.text)
	equal(label.text.length(), Bubble.MOST_LETTERS, "cut")
	await tree.process_frame
	await tree.process_frame
	equal(bubble.global_position.x, Bubble.EDGE, "whole on the screen, though the speaker stands at its edge")
	speaker.queue_free()
	await tree.process_frame
