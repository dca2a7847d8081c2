package main

// A person is drawn from parts: a head and a body seen from the front, the left side and behind; arms and legs that swing. The
// right side is the left one mirrored. Letters are the person's own colours; rows are laid on an 18 pixels wide grid whose
// left edge is x = 7 of the cell.
type person struct {
	name string
	keys Keys

	head, body view // the head from y = 0, the body from y = 15
	arm, armUp view // one arm, 4 wide; armUp is the same arm at the end of its swing, seen from the front
	leg        [4]string
	robe       bool   // the hem of the body sways with the walk
	behind     view   // drawn before all else: tails, capes, brushes
	lids       string // letters of the eyes that an eyelid covers when blinking
	lowLegs    int    // how many pixels shorter than usual the legs are; the rest of the body sinks by as much
}

// view is one part from three sides.
type view struct{ front, side, back string }

const (
	cell     = 32 // width and height of an avatar's cell
	gridLeft = 7
	bodyTop  = 15
	hipY     = 23 // first row of the legs
	footY    = 28 // last row of the legs
	columns  = 6  // standing, blinking, four of the walk
)

// Directions in the order of the rows of avatars.png.
const (
	down = iota
	left
	right
	up
)

// step describes one column of the sheet.
type step struct {
	blink bool
	bob   int // the upper body is raised by this many pixels
	swing int // -1 left foot forward, 0 both together, 1 right foot forward
}

var steps = [columns]step{
	{}, {blink: true},
	{bob: 0, swing: -1}, {bob: 1}, {bob: 0, swing: 1}, {bob: 1},
}

// drawPeople lays out avatars.png.
func drawPeople(people []person) *Canvas {
	sheet := NewCanvas(cell*columns, cell*4*len(people))
	for n, p := range people {
		for column, s := range steps {
			var cells [4]*Canvas
			cells[down] = p.fromFront(s)
			cells[left] = p.fromSide(s)
			cells[right] = p.fromSide(step{s.blink, s.bob, -s.swing}).Mirrored()
			cells[up] = p.fromBehind(s)
			for d, c := range cells {
				c.Outline()
				sheet.Paste(c, column*cell, (4*n+d)*cell)
			}
		}
	}
	return sheet
}

func (p *person) colours(s step) Keys {
	if !s.blink {
		return p.keys
	}
	lids := Keys{}
	for i := range len(p.lids) {
		lids[p.lids[i]] = p.keys['s']
	}
	lids['e'] = p.keys['q'] // the lowest pixel of an eye becomes the line of the lid
	return p.keys.with(lids)
}

func (p *person) fromFront(s step) *Canvas {
	c, keys := NewCanvas(cell, cell), p.colours(s)
	lift := p.lowLegs - s.bob
	c.Stamp(gridLeft, lift, p.behind.front, keys)
	p.legsAhead(c, s, keys)
	p.torso(c, s, lift, p.body.front, keys)
	p.armsAhead(c, s, lift, p.arm.front, p.armUp.front, keys)
	c.Stamp(gridLeft, lift, p.head.front, keys)
	return c
}

func (p *person) fromBehind(s step) *Canvas {
	c, keys := NewCanvas(cell, cell), p.keys
	lift := p.lowLegs - s.bob
	p.legsAhead(c, s, keys)
	p.armsAhead(c, s, lift, p.arm.back, p.armUp.back, keys)
	p.torso(c, s, lift, p.body.back, keys)
	c.Stamp(gridLeft, lift, p.head.back, keys)
	c.Stamp(gridLeft, lift, p.behind.back, keys)
	return c
}

func (p *person) fromSide(s step) *Canvas {
	c, keys := NewCanvas(cell, cell), p.colours(s)
	lift := p.lowLegs - s.bob
	dark := p.darkened()
	c.Stamp(gridLeft, lift, p.behind.side, keys)
	armX := gridLeft + 7
	c.Stamp(armX+2*s.swing, bodyTop+1+lift, p.arm.side, dark)
	far, near := stride(s.swing), stride(-s.swing)
	far.stamp(c, gridLeft+8, p.lowLegs, p.leg, dark)
	near.stamp(c, gridLeft+7, p.lowLegs, p.leg, keys)
	p.torso(c, s, lift, p.body.side, keys)
	c.Stamp(armX-2*s.swing, bodyTop+1+lift, p.arm.side, keys)
	c.Stamp(gridLeft, lift, p.head.side, keys)
	return c
}

// torso draws the body; the hem of a robe swings after the feet.
func (p *person) torso(c *Canvas, s step, lift int, art string, keys Keys) {
	if !p.robe {
		c.Stamp(gridLeft, bodyTop+lift, art, keys)
		return
	}
	const hem = 8 // rows of a robe above those that sway
	lines := rows(art)
	for j, line := range lines {
		dx := 0
		if j >= hem {
			dx = s.swing
		}
		c.Stamp(gridLeft+dx, bodyTop+lift+j, line, keys)
	}
}

// darkened colours an arm or leg that is on the far side.
func (p *person) darkened() Keys {
	out := Keys{}
	for key, col := range p.keys {
		out[key] = mix(col, ink, 0.32)
	}
	return out
}

// armsAhead draws both arms as seen from the front or from behind: while one foot is forward, the opposite arm is.
func (p *person) armsAhead(c *Canvas, s step, lift int, hanging, raised string, keys Keys) {
	one, other := NewCanvas(4, 10), NewCanvas(4, 10)
	pose := [2]string{hanging, hanging}
	if s.swing < 0 {
		pose[1] = raised
	} else if s.swing > 0 {
		pose[0] = raised
	}
	one.Stamp(0, 0, pose[0], keys)
	other.Stamp(0, 0, pose[1], keys)
	c.Paste(one, gridLeft+1, bodyTop+1+lift)
	c.Paste(other.Mirrored(), gridLeft+13, bodyTop+1+lift)
}

// legsAhead draws both legs as seen from the front or from behind: the lifted one is shorter.
func (p *person) legsAhead(c *Canvas, s step, keys Keys) {
	for side := range 2 {
		rise := 0
		if s.swing == 2*side-1 {
			rise = 2
		}
		leg := NewCanvas(4, 8)
		leg.Stamp(0, 0, p.leg[0], keys)
		if side == 1 {
			leg = leg.Mirrored()
		}
		c.Paste(leg.Cut(0, rise-rise/2, 4, 8), gridLeft+4+6*side, hipY+p.lowLegs-rise/2)
	}
}

// pose is a leg in profile: which drawing, and how far its foot is moved from below the hip.
type pose struct{ art, dx, dy int }

func stride(swing int) pose {
	switch swing {
	case -1:
		return pose{2, -3, 0}
	case 1:
		return pose{3, 1, 0}
	}
	return pose{1, 0, 0}
}

func (l pose) stamp(c *Canvas, x, lower int, art [4]string, keys Keys) {
	c.Stamp(x+l.dx, hipY+lower+l.dy, art[l.art], keys)
}
