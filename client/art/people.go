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

func ranger() person {
	return person{
		name: "ranger",
		keys: face.with(letters("hsSq", skinFair), letters("lrRK", hairRed), letters("vcCX", clothMoss),
			letters("yzZY", gold), letters("nbBN", leather), letters("dfFG", clothRust)),
		lids: "io",
		head: view{front: `
..................
..................
..................
.....lllrrrr......
....lllrrrrrrr....
...lllrrrrrrrrR...
..llrrlrrrrrrrRR..
..lrrlrrrrrrrrrR..
.llrrrrrrrrrrrrRR.
.lrrrrrrrhrrrrrRR.
.lrrhrrhhhsrrsrRR.
.rrrhhhhhssssssRR.
.rrhhoohssoosSrRR.
.rrhhiohssiosSrRR.
.rRhseessseesSRRR.
.RRusssssssssuRRR.
.RR.ssssmmsssSRR..
..R..SSssssSS.R...
`, side: `
..................
..................
..................
.....lllrrrrr.....
...lllrrrrrrrrr...
..lllrrrrrrrrrrR..
..lrrrlrrrrrrrrRR.
.lrrrlrrrrrrrrrrR.
.lrrrrrrrrrrrrrrR.
.lrhrrrrrrrrrrrRRR
.rhhhrrhrrrrrrrRRR
..hhhhhhrrrrrrRRRR
..hooshhsrrrrRRRRR
..hioshssrrrrRRRRR
.hheesssSrrrRRRRRR
..sssussSrRRRRRRR.
..mssssSSRRRRRRR..
....SSSSS..RRRR...
`, back: `
..................
..................
..................
.....lllrrrrr.....
....lllrrrrrrr....
...lllrrrrrrrrR...
..llrrlrrrrrrrRR..
..lrrlrrrrrrrrRR..
.llrrlrrrrrrrrrRR.
.lrrlrrrrrrrrrrRR.
.lrrlrrrrrrrrrrRR.
.lrrrrrrrrrrrrRRR.
.lrrrrrrrrrrrrRRR.
.rrrrrrrrrrrrRRRR.
.rrrrrrRrrrRrrRRR.
.rRrrrRRrrRRrRRRR.
.RRRrrRrrrRRRRRR..
..RR.RRrrRRRR.R...
`},
		body: view{front: `
..................
.....vcqSSqcC.....
....vvcccccccC....
....vcccccccCC....
....vccccccccC....
....vcccccccCC....
....nbbbyzbbbB....
....vcccccccCC....
....vccccccCCC....
....CcCCccCCCC....
`, side: `
..................
......vqSScC......
.....vccccccC.....
.....vccccccCC....
.....vccccccCC....
.....vccccccCC....
.....zbbbbbbBB....
.....vccccccCC....
.....vccccccCC....
.....CccCCcCCC....
`, back: `
..................
.....vcccccccC....
....vvcccccccC....
....vcccccccCC....
....vcccccccCC....
....vcccccccCC....
....nbbbbbbbbB....
....vcccccccCC....
....vccccccCCC....
....CcCCccCCCC....
`},
		arm: view{front: `
..vc
.vcC
.vcC
.ccC
.cCC
.hs.
.sS.
`, side: `
vcC.
vcC.
vcC.
ccC.
cCC.
hsS.
sS..
`, back: `
..vc
.vcC
.vcC
.ccC
.cCC
.hs.
.sS.
`},
		armUp: view{front: `
..vc
.vcC
.vcC
.cCC
.hsS
.sS.
`, back: `
..vc
.vcC
.vcC
.cCC
.hs.
`},
		leg: plainLegs,
	}
}
