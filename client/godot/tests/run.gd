extends SceneTree
## Runs every method test_… of every tests/test_*.gd:
##   godot --headless --path . -s tests/run.gd
## Exit code 1 if an expectation is not met, or if there are no tests.


func _initialize() -> void:
	run.call_deferred()


func run() -> void:
	var failed: int = 0
	var expectations: int = 0
	var tests: int = 0
	for file: String in DirAccess.get_files_at("res://tests"):
		if not (file.begins_with("test_") and file.ends_with(".gd")):
			continue
		var script: GDScript = load("res://tests/" + file)
		for method: Dictionary in script.get_script_method_list():
			var test: String = method["name"]
			if not test.begins_with("test_"):
				continue
			var check: Check = script.new()
			await check.call(test)
			tests += 1
			expectations += check.expectations
			if check.expectations == 0:
				check.failures.append("expects nothing")
			for failure: String in check.failures:
				failed += 1
				printerr("FAIL %s %s: %s" % [file, test, failure])
	print("%d tests, %d expectations, %d failed" % [tests, expectations, failed])
	quit(1 if failed > 0 or tests == 0 else 0)
