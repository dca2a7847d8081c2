package main

// face are the colours that every person has besides their own.
var face = Keys{'i': rgb(0xffffff), 'o': rgb(0x3a2440), 'e': rgb(0x5b3a5e), 'm': rgb(0xa4483f), 'u': rgb(0xf59a86)}

// The six, in the order of their avatar numbers.
func sixPeople() []person {
	return []person{ranger(), innkeeper(), wizard(), fox(), knight(), frog()}
}

// trousers and boots, in the four poses: from the front, straight, forward, back.
var plainLegs = [4]string{`
fffF
fffF
nbbB
bbbB
bbbB
BBBB
`, `
ffFF
ffFF
nbbB
bbbB
bbbb
bBBB
`, `
...ffFF
..ffFF.
.nbbB..
.bbBB..
bbbB...
.bB....
`, `
ffFF...
.ffFF..
..nbbBB
..bbbBB
...bBB.
.......
`}
