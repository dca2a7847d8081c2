class_name ScreenFit
extends RefCounted
## Fits the client to the screen it runs on: how large things are drawn, and which
## part of the screen is free of notches, round corners and the on-screen keyboard.

## How many screen pixels one unit takes. Half steps, so that each pixel of the art,
## being two units wide, covers whole pixels of the screen.
static func scale_for(window: Vector2i, density: float) -> float:
	var by_size: float = floorf(minf(window.x, window.y) / 300.0) / 2.0
	var by_density: float = roundf(density * 2.0) / 2.0
	return clampf(maxf(by_size if density <= 1.0 else 1.0, by_density), 1.0, 4.0)


## The margins to keep free, in units: left, top, right, bottom as a Rect2's ends.
## window, safe and keyboard are in screen pixels.
static func margins(window: Vector2i, safe: Rect2i, keyboard: int, scale: float) -> Vector4:
	var free: Rect2i = Rect2i(Vector2i.ZERO, window).intersection(safe)
	if not free.has_area():
		free = Rect2i(Vector2i.ZERO, window)
	return Vector4(free.position.x, free.position.y, window.x - free.end.x, maxi(window.y - free.end.y, keyboard)) / scale
