package codec

import (
	"math"
	"strconv"
)

// Model is the full state of one actor, as a client first hears of it.
type Model struct {
	ID         int64   // the actor, as Disconnect and Despawn name it
	User       int64   // the account
	InstanceID int64   // the actor's body in the world
	EntityID   int64   // what the body is an instance of
	X, Y       float64 // place in pixels
	Name       string  // the account's name
	Avatar     uint8   // 0 to MaxAvatar
}

// AppendModel appends the full model of one actor. See AppendDelta for how
// coordinates are written.
func AppendModel(dst []byte, m Model) []byte {
	dst = append(dst, `{"a":"ModelDelta","p0":{"id":`...)
	dst = strconv.AppendInt(dst, m.ID, 10)
	dst = append(dst, `,"user":`...)
	dst = strconv.AppendInt(dst, m.User, 10)
	dst = append(dst, `,"instanced_entity":{"id":`...)
	dst = strconv.AppendInt(dst, m.InstanceID, 10)
	dst = append(dst, `,"x":`...)
	dst = appendCoordinate(dst, m.X)
	dst = append(dst, `,"y":`...)
	dst = appendCoordinate(dst, m.Y)
	dst = append(dst, `,"entity":{"id":`...)
	dst = strconv.AppendInt(dst, m.EntityID, 10)
	dst = append(dst, `,"name":"`...)
	dst = appendEscaped(dst, m.Name)
	dst = append(dst, `","model_type":"Entity"},"model_type":"InstancedEntity"},"avatar_id":`...)
	dst = strconv.AppendUint(dst, uint64(m.Avatar), 10)
	return append(dst, `,"model_type":"Actor"}}`...)
}

// AppendDelta appends where the actor with this id has come to. It always has
// both coordinates: tutorial clients drop a delta with one. They are rounded to
// two decimals, NaN counts as 0, and what lies beyond a million million pixels
// is brought back to there.
func AppendDelta(dst []byte, id, instanceID int64, x, y float64) []byte {
	dst = append(dst, `{"a":"ModelDelta","p0":{"id":`...)
	dst = strconv.AppendInt(dst, id, 10)
	dst = append(dst, `,"model_type":"Actor","instanced_entity":{"id":`...)
	dst = strconv.AppendInt(dst, instanceID, 10)
	dst = append(dst, `,"model_type":"InstancedEntity","x":`...)
	dst = appendCoordinate(dst, x)
	dst = append(dst, `,"y":`...)
	dst = appendCoordinate(dst, y)
	return append(dst, `}}}`...)
}

// maxCoordinate keeps hundredths exact, see hundredths.
const maxCoordinate = 1e12

// appendCoordinate appends v with one or two decimals: 0.0, 2.8, -10.47.
func appendCoordinate(dst []byte, v float64) []byte {
	n := hundredths(math.Abs(v))
	if v < 0 && n > 0 { // never -0.0
		dst = append(dst, '-')
	}
	dst = strconv.AppendUint(dst, n/100, 10)
	tenths, last := byte(n%100/10), byte(n%10)
	dst = append(dst, '.', '0'+tenths)
	if last != 0 {
		dst = append(dst, '0'+last)
	}
	return dst
}

// hundredths is 100 v, for v >= 0, rounded to the nearest whole number and a
// tie to the even one, as strconv does. Multiplying the float would round
// twice, so it is done on its bits: v is m / 2^shift with m < 2^53, hence
// 100 m < 2^60 is exact, and below maxCoordinate the shift is at least 13.
func hundredths(v float64) uint64 {
	if math.IsNaN(v) {
		return 0
	}
	bits := math.Float64bits(min(v, maxCoordinate))
	exponent := int(bits >> 52)
	m := bits & (1<<52 - 1)
	if exponent > 0 {
		m |= 1 << 52
	}
	shift := 1075 - exponent
	if shift > 62 {
		return 0 // 100 m is less than half of 2^shift
	}
	n := m * 100
	whole, rest, half := n>>shift, n&(1<<shift-1), uint64(1)<<(shift-1)
	if rest > half || rest == half && whole&1 == 1 {
		whole++
	}
	return whole
}
