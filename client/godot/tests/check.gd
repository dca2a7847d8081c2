class_name Check
extends RefCounted
## What a test file extends: it has methods called test_…, and says what it expects.

## What went wrong, in words.
var failures: PackedStringArray = []

## How many expectations were met or not.
var expectations: int = 0


## The two must be equal, arrays and dictionaries by what is in them.
func equal(got: Variant, want: Variant, what: String = "") -> void:
	expectations += 1
	if typeof(got) != typeof(want) or got != want:
		failures.append("%s: got %s, want %s" % [what, var_to_str(got), var_to_str(want)])


## The condition must hold.
func truth(condition: bool, what: String) -> void:
	expectations += 1
	if not condition:
		failures.append(what)


## The number must lie between the two.
func between(got: float, least: float, most: float, what: String) -> void:
	expectations += 1
	if not (got >= least and got <= most):
		failures.append("%s: got %f, want %f to %f" % [what, got, least, most])
