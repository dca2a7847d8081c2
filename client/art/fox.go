package main

// The fox: orange fur, dark ears and paws, a blue scarf and a brush.
func fox() person {
	return person{
		name: "fox",
		keys: face.with(letters("hsSq", furFox), letters("lrRK", furFox), letters("pwWP", furWhite), letters("vcCX", clothRust),
			letters("yzZY", clothSky), letters("nbBN", clothCoal), letters("dfFG", clothRust),
			Keys{'K': rgb(0x4a2b38), 'u': rgb(0xffb9a0), 'm': rgb(0x7a3a40)}),
		lids: "io",
		head: view{front: lowered(2, `
.KK............KK.
.KKK..........KKK.
.KruR........KurR.
.lruuR......luurR.
.lruurrrrrrrruurR.
.lrullllrrrrrrurR.
.lrllllrrrrrrrrRR.
.lrllrrrrrrrrrrRR.
.lrrrrrrrrrrrrrRR.
.lrrroorrrroorrRR.
.lrrriorrrriorrRR.
.wlrreerrrreerrRw.
wwwwlrrlwwlrrwwwwW
.wwwwwwwwwwwwwwWW.
..wwwwwwKKwwwwWW..
...WwwwwKKwwwWW...
.....WWwmmwWW.....
`), side: lowered(2, `
......KK..........
......KKK...KK....
......KrrR..KKR...
......lruR..KrR...
.....llruurrruR...
...lllllrurrruuR..
..lllllrrrrrrrrRR.
..llrrrrrrrrrrrRR.
..lrrrrrrrrrrrrRR.
.rrroorrrrrrrrrRR.
.rrriorrrrrrrrrRR.
.rrreerrlrrrrrrRR.
KKwrrrrwwwrrrrrRR.
KKwwwwwwwwwwrrRRR.
.wwwwwwwwwwwwRRR..
..mwwwwwwwwWWRR...
....WWWWWWWW......
`), back: lowered(2, `
.KK............KK.
.KKK..........KKK.
.KKKR........KKKR.
.lKKrR......lrKKR.
.lrKrrlllrrrrrKRR.
.lrrllllrrrrrrrRR.
.lrrllrrrrrrrrrRR.
.lrllrrrrrrrrrrRR.
.lrlrrrrrrrrrrrRR.
.lrlrrrrrrrrrrrRR.
.lrrrrrrrrrrrrrRR.
.lrrrrrrrrrrrrRRR.
wlrrrrrrrrrrrrRRRW
wwwrrrrrrrrrrRRwwW
.wwwrrrrrrrrRRwwW.
..wWrrrrrrrRRRRW..
...WRRrrrrRRRRW...
`)},
		behind: view{front: lowered(17, `
..............ll..
.............lrrrr.
.............lrrrrR
..............lrrrrR
..............lrrrrR
.............lrrrrRR
.............wwrrRR.
.............wwwwR..
..............wWW...
`), side: lowered(16, `
.............lrr...
............lrrrrR...
...........llrrrrrR..
...........lrrrrrrRR.
..........lrrrrrrrRR.
.........lrrrrrrrrRR.
.........rrrrrrwrwRR.
..........Rrrrwwwwww.
...........RRRwwwwwW.
..............wwwWW..
...............WW....
`), back: lowered(18, `
........rrR.......
.......lrrrR......
......llrrrrR.....
......lrrrrrR.....
.....llrrrrrRR....
.....lrrrrrrRR....
.....lrwrrwrRR....
.....wwwwwwwwR....
......wwwwwWW.....
.......wwWW.......
`)},
		body: view{front: `
..................
....yyyyzzzzzZ....
....vyyzzzzZZC....
....vwwwzZwWCC....
....vccwyzWcCC....
....vcccyzccCC....
....nbbbyzbbbB....
....vcccccccCC....
....vccccccCCC....
....CcCCccCCCC....
`, side: `
..................
....yyyyzzzzZ.....
.....yyzzzZZZ.....
.....wvccccyzZ....
.....wvcccccyzZ...
.....wvccccCCzZ...
.....nbbbbbbBB....
.....vccccccCC....
.....vccccccCC....
.....CccCCcCCC....
`, back: `
..................
....yyyyzzzzzZ....
....vyyzzzzZZC....
....vccccccccC....
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
.rrR
.rRR
.KK.
.KK.
`, side: `
vcC.
vcC.
ccC.
lrR.
rRR.
KKK.
KK..
`, back: `
..vc
.vcC
.vcC
.rrR
.rRR
.KK.
.KK.
`},
		armUp: view{front: `
..vc
.vcC
.rrR
.rRR
.KKK
.KK.
`, back: `
..vc
.vcC
.rrR
.rRR
.KK.
`},
		leg: [4]string{`
fffF
lrrR
rrRR
KKKK
KKKK
KKKK
`, `
ffFF
lrRR
rrRR
KKKK
KKKK
KKKK
`, `
...ffFF
..lrRR.
.lrRR..
.KKKK..
KKKK...
.KK....
`, `
ffFF...
.lrRR..
..rrRRK
..rKKKK
...KKK.
.......
`},
	}
}
