extends Sprite2D
## A puff of dust where somebody has left; gone after a moment.

const SECONDS: float = 0.45
const FIRST_FRAME: int = 9
const FRAMES: int = 3

var _age: float = 0.0


func _process(delta: float) -> void:
	_age += delta
	frame = FIRST_FRAME + mini(int(_age / SECONDS * FRAMES), FRAMES - 1)
	if _age >= SECONDS:
		queue_free()
