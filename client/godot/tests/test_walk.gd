extends Check
## How actors move between what the server tells: their own clock, no frames.

const FRAME: float = 1.0 / 60.0
const SPEED: float = 70.0


## Somebody who walks east, told of so many times a second, with jitter: drawn, it must
## neither stop nor jump nor go back.
func test_track_glides() -> void:
	for updates: float in [5.0, 10.0, 20.0]:
		var random: RandomNumberGenerator = RandomNumberGenerator.new()
		random.seed = 7
		var start: float = 100.0
		var track: Track = Track.new(Vector2.ZERO, start - 30.0)
		var news: Array[float] = []
		for i: int in int(4.0 * updates):
			news.append(start + (i + 1) / updates + random.randf_range(0.0, 0.03))
		var told: int = 0
		var last: Vector2 = Vector2.ZERO
		var fastest: float = 0.0
		var slowest: float = INF
		var now: float = start
		while now < start + 4.0:
			now += FRAME
			while told < news.size() and news[told] <= now:
				told += 1
				track.push(Vector2(told / updates * SPEED, 0.0), news[told - 1])
			var place: Vector2 = track.sample(now)
			if now > start + 1.5:
				fastest = maxf(fastest, (place.x - last.x) / FRAME)
				slowest = minf(slowest, (place.x - last.x) / FRAME)
				between((now - start) * SPEED - place.x, 0.0, 45.0, "how far behind at %d/s" % int(updates))
			elif now < start + 1.5:
				between(place.x - last.x, 0.0, SPEED * 4.0 * FRAME, "first steps at %d/s" % int(updates))
			last = place
		between(slowest, SPEED * 0.3, SPEED, "slowest at %d/s" % int(updates))
		between(fastest, SPEED, SPEED * 3.0, "fastest at %d/s" % int(updates))


func test_track_arrives_and_snaps() -> void:
	var track: Track = Track.new(Vector2(5, 5), 0.0)
	equal(track.sample(1.0), Vector2(5, 5), "before any news")
	track.push(Vector2(8, 5), 10.0)
	between(track.sample(10.0).x, 5.0, 5.5, "a walk begins where it stood")
	equal(track.sample(11.0), Vector2(8, 5), "the end of the walk")
	equal(track.newest(), Vector2(8, 5), "newest")
	track.push(Vector2(508, 5), 11.1)
	equal(track.sample(11.1), Vector2(508, 5), "a jump is no walk")


## With a server that is 150 ms away each way, the own actor walks at once and never
## has to be corrected by more than rounding.
func test_walk_predicts() -> void:
	var latency: float = 0.15
	var walk: Walk = Walk.new(Vector2.ZERO, 0.0)
	walk.head_for(Vector2(140, 0), 0.0)
	var last: Vector2 = Vector2.ZERO
	var now: float = 0.0
	var tick: int = 0
	while now < 4.0:
		now += FRAME
		while tick * 0.05 + latency <= now:
			tick += 1
			var walked: float = tick * 0.05 - latency
			if walked > 0.0 and walked < 2.05:
				walk.correct(Vector2(minf(snappedf(walked * SPEED, 0.01), 140.0), 0.0), tick * 0.05 + latency)
		walk.advance(FRAME, now)
		if walk.walking():
			between((walk.place.x - last.x) / FRAME, SPEED - 1.0, SPEED + 1.0, "speed")
		last = walk.place
	equal(walk.place, Vector2(140, 0), "arrived")
	equal(walk.walking(), false, "stands")


## Where the server has another opinion, it wins, without a jump.
func test_walk_corrects() -> void:
	var walk: Walk = Walk.new(Vector2.ZERO, 0.0)
	walk.advance(FRAME, 1.0)
	walk.correct(Vector2(30, 40), 1.0)
	var last: Vector2 = walk.place
	var now: float = 1.0
	for i: int in 120:
		now += FRAME
		walk.advance(FRAME, now)
		between(walk.place.distance_to(last), 0.0, 8.0, "step of the correction")
		last = walk.place
	between(walk.place.distance_to(Vector2(30, 40)), 0.0, 0.5, "where the server said")
	walk.correct(Vector2(500, 0), now)
	equal(walk.place, Vector2(500, 0), "more than 200 units at once")
	equal(walk.walking(), false, "and it stands there")


## The server did not let it walk: it goes back to where the server has it.
func test_walk_settles() -> void:
	var walk: Walk = Walk.new(Vector2(10, 10), 0.0)
	walk.head_for(Vector2(40, 10), 0.0)
	var now: float = 0.0
	for i: int in 240:
		now += FRAME
		walk.advance(FRAME, now)
	between(walk.place.distance_to(Vector2(10, 10)), 0.0, 0.2, "back where the server has it")
