class_name Plain
extends RefCounted
## Text from strangers, made safe to draw. Nothing of it is markup: what goes into a
## label with BBCode is escaped, and characters that would break a line, hide
## text or turn it round are taken out.

## Marks that turn the direction of writing round or bind what follows: with
## them a name could pretend to be another one.
const TURNING: Array[int] = [0x061C, 0x200E, 0x200F, 0x202A, 0x202B, 0x202C, 0x202D, 0x202E, 0x2066, 0x2067, 0x2068, 0x2069]


## One line without control characters; line breaks become spaces.
static func line(text: String) -> String:
	var safe: PackedStringArray = []
	for i: int in text.length():
		var code: int = text.unicode_at(i)
		if code == 0x0A or code == 0x0D or code == 0x09 or code == 0x2028 or code == 0x2029:
			safe.append(" ")
		elif code >= 0x20 and not (code >= 0x7F and code < 0xA0) and not TURNING.has(code) and code != 0xFEFF:
			safe.append(text[i])
	return "".join(safe)


## The same for a RichTextLabel with BBCode: drawn letter for letter, brackets too.
static func bbcode(text: String) -> String:
	return line(text).replace("[", "[lb]")


## As much of text as fits into so many bytes of UTF-8, whole characters only.
static func fit(text: String, most_bytes: int) -> String:
	while text.to_utf8_buffer().size() > most_bytes:
		text = text.left(text.length() - 1)
	return text
