class_name Backoff
extends RefCounted
## How long to wait before trying again: twice as long after each failure, up to
## a limit, and a random part of it, so that a thousand clients whose server has
## restarted do not all come back in the same instant.

## The longest first wait, in seconds.
var first_seconds: float

## The longest wait of all, in seconds.
var most_seconds: float

## How many waits have been asked for since the last reset.
var failures: int = 0


func _init(first: float = 0.5, most: float = 15.0) -> void:
	first_seconds = first
	most_seconds = most


## Counts a failure and gives the wait after it: between half and the whole of
## the doubled time.
func next_seconds() -> float:
	var longest: float = minf(most_seconds, first_seconds * pow(2.0, minf(failures, 30.0)))
	failures += 1
	return longest * randf_range(0.5, 1.0)


## Call when things have gone well for a while.
func reset() -> void:
	failures = 0
