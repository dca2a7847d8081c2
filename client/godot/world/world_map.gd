class_name WorldMap
extends Node2D
## The ground, and the things that stand on it, as the shared world.json draws them
## (see client/art/ART.md). Things and actors are children of the same sorted node, so that
## one walks behind a tree and in front of it.

const FILE: String = "res://art/world.json"
const TILES: Texture2D = preload("res://art/tiles.png")
const OBJECTS: Texture2D = preload("res://art/objects.png")

## How long each picture of a moving thing is shown.
const FRAME_SECONDS: float = 0.2

## The whole world, in world units.
var bounds: Rect2 = Rect2(-2048, -2048, 4096, 4096)

## World units for one pixel of the art.
var art_scale: float = 2.0

## Where newcomers start.
var spawn: Vector2

var _tile: float = 32.0 # side of a tile in world units
var _columns: int = 1 # tiles in a row of the map
var _swim: PackedByteArray = []
var _moving: Array[MovingThing] = []
var _clock: float = 0.0

@onready var _flat: Node2D = $Flat

## The node whose children are drawn from north to south.
@onready var sorted: Node2D = $Sorted


## One kind of thing with several pictures. All things of the kind share the texture.
class MovingThing:
	var texture: AtlasTexture
	var first: Rect2
	var frames: int


func _ready() -> void:
	var world: Dictionary = JSON.parse_string(FileAccess.get_file_as_string(FILE))
	art_scale = world["scale"]
	_tile = float(world["tile"]) * art_scale
	_columns = int(world["width"])
	bounds = Rect2(float(world["left"]), float(world["top"]), _columns * _tile, float(world["height"]) * _tile)
	spawn = Vector2(float(world["spawn"][0]), float(world["spawn"][1]))
	_swim = unpack(str(world["swim"]))
	var ground: PackedByteArray = unpack(str(world["ground"]))
	var detail: PackedByteArray = unpack(str(world["detail"]))
	var tile_set: TileSet = _make_tile_set(world, [ground, detail])
	_lay($Ground as TileMapLayer, tile_set, ground, int(world["columns"]))
	_lay($Detail as TileMapLayer, tile_set, detail, int(world["columns"]))
	_put_objects(world["sprites"] as Array, world["objects"] as Array)


func _process(delta: float) -> void:
	var before: int = int(_clock / FRAME_SECONDS)
	_clock += delta
	var frame: int = int(_clock / FRAME_SECONDS)
	if frame == before:
		return
	for thing: MovingThing in _moving:
		thing.texture.region.position.x = thing.first.position.x + thing.first.size.x * (frame % thing.frames)


## Whether someone whose feet are there is in deep water.
func swims(place: Vector2) -> bool:
	var cell: Vector2i = Vector2i(((place - bounds.position) / _tile).floor())
	var index: int = cell.y * _columns + cell.x
	return bounds.has_point(place) and index < _swim.size() and _swim[index] == 1


## The nearest place inside the world.
func clamped(place: Vector2) -> Vector2:
	return place.clamp(bounds.position, bounds.end)


## Undoes a layer's packing: base64 of pairs "so many tiles, with this id".
static func unpack(layer: String) -> PackedByteArray:
	var pairs: PackedByteArray = Marshalls.base64_to_raw(layer)
	var tiles: PackedByteArray = []
	for i: int in range(0, pairs.size() - 1, 2):
		var run: PackedByteArray = []
		run.resize(pairs[i])
		run.fill(pairs[i + 1])
		tiles.append_array(run)
	return tiles


func _make_tile_set(world: Dictionary, layers: Array[PackedByteArray]) -> TileSet:
	var animated: Dictionary = world["animated"]
	var columns: int = int(world["columns"])
	var side: int = int(world["tile"])
	var source: TileSetAtlasSource = TileSetAtlasSource.new()
	source.texture = TILES
	source.texture_region_size = Vector2i(side, side)
	var made: Dictionary[int, bool] = {0: true} # 0 is "no tile"
	for layer: PackedByteArray in layers:
		for id: int in layer:
			if made.has(id):
				continue
			made[id] = true
			var cell: Vector2i = Vector2i(id % columns, floori(float(id) / columns))
			source.create_tile(cell)
			if id >= int(animated["first"]) and id <= int(animated["last"]):
				var frames: int = int(animated["frames"])
				source.set_tile_animation_columns(cell, frames)
				source.set_tile_animation_frames_count(cell, frames)
				for frame: int in frames:
					source.set_tile_animation_frame_duration(cell, frame, float(animated["seconds"]))
	var tile_set: TileSet = TileSet.new()
	tile_set.tile_size = Vector2i(side, side)
	tile_set.add_source(source, 0)
	return tile_set


func _lay(layer: TileMapLayer, tile_set: TileSet, ids: PackedByteArray, tile_columns: int) -> void:
	layer.position = bounds.position
	layer.scale = Vector2(art_scale, art_scale)
	layer.collision_enabled = false
	layer.navigation_enabled = false
	layer.tile_set = tile_set
	for i: int in ids.size():
		var id: int = ids[i]
		if id != 0:
			layer.set_cell(Vector2i(i % _columns, floori(float(i) / _columns)), 0, Vector2i(id % tile_columns, floori(float(id) / tile_columns)))


func _put_objects(sprites: Array, objects: Array) -> void:
	var textures: Array[AtlasTexture] = []
	for sprite: Dictionary in sprites:
		var texture: AtlasTexture = AtlasTexture.new()
		texture.atlas = OBJECTS
		texture.region = Rect2(float(sprite["x"]), float(sprite["y"]), float(sprite["w"]), float(sprite["h"]))
		textures.append(texture)
		if int(sprite["frames"]) > 1:
			var thing: MovingThing = MovingThing.new()
			thing.texture = texture
			thing.first = texture.region
			thing.frames = int(sprite["frames"])
			_moving.append(thing)
	for i: int in range(0, objects.size() - 2, 3):
		var kind: int = int(objects[i])
		var sprite: Dictionary = sprites[kind]
		var node: Sprite2D = Sprite2D.new()
		node.texture = textures[kind]
		node.centered = false
		node.offset = -Vector2(float(sprite["ax"]), float(sprite["ay"]))
		node.scale = Vector2(art_scale, art_scale)
		node.position = Vector2(float(objects[i + 1]), float(objects[i + 2]))
		if sprite["flat"]:
			_flat.add_child(node)
		else:
			sorted.add_child(node)
