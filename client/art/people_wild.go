package main

// The fox and the frog: those who came out of the wood and the pond.

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

func frog() person {
	return person{
		name: "frog",
		keys: face.with(letters("hsSq", skinFrog), letters("yzZY", straw), letters("vcCX", clothBlue), letters("nbBN", gold),
			letters("pPtT", plumeRed), Keys{'e': rgb(0xffffff), 'a': rgb(0xeef7c0), 'u': rgb(0xf2a07c), 'g': gold[1]}),
		lids: "io",
		head: view{front: lowered(2, `
.......yyyy.......
......yyzzzz......
.....yzzzzzZZ.....
.....pPPPPPtt.....
.yyyyyzzzzzzzzzZZ.
yyzzzzzzzzzzzzzZZZ
.ZhhhhYYYYYYhhhSZ.
.hhiiihssssshiiiS.
.hiooihssssshiooiS
.hiooissssssiiooiS
.hheeessssssseeeSS
hhhsssssssssssssSS
hhsssssssssssssSSS
hsqsssssssssssqsSS
hssqqqqqqqqqqqssSS
.suuhaaaaaaaauuSS.
..SSaaaaaaaaaSSS..
`), side: lowered(2, `
.......yyyyy......
......yyzzzzz.....
.....yzzzzzzZZ....
.....pPPPPPPtt....
.yyyyyzzzzzzzzzZZ.
yyzzzzzzzzzzzzzZZZ
.ZhhhhhYYYYYYYYYZ.
.hhiiihhssssssssS.
.hiooiihsssssssSSS
.hiooiisssssssssSS
.hheeessssssssssSS
hhhssssssssssssSSS
hhhsssssssssssSSSS
hqssssssssssssSSS.
.qqqqqqqssssssSSS.
.aahauusssssSSSS..
..aaaaaasSSSSS....
`), back: lowered(2, `
.......yyyy.......
......yyzzzz......
.....yzzzzzZZ.....
.....pPPPPPtt.....
.yyyyyzzzzzzzzzZZ.
yyzzzzzzzzzzzzzZZZ
.ZhhhhYYYYYYhhhSZ.
.hhsssssssssssssS.
.hssssssssssssssSS
.hsssshssssssssSSS
.hsssssssSsssssSSS
hhsssssssssssssSSS
hhsssshssssssSsSSS
hssssssssssssssSSS
hssssssssSssssSSSS
.ssssssssssssSSSS.
..SSSSSSSSSSSSSS..
`)},
		body: view{front: `
..................
.....hsssssssS....
....hhvaaaaavsS...
....hsvaaaaavSS...
....hsgccccCgSS...
....hvvcccccCCS...
....vvccvvccCCC...
....vcccccccCCC...
....vccccccccCC...
....CcccCCcccCC...
`, side: `
..................
.....hhsssssS.....
....ahsvvssSS.....
....aassvvsSS.....
....accgsvvSS.....
....vcccccccC.....
....vcccccccCC....
....vccccccccC....
....vccccccCCC....
....CccCCcCCCC....
`, back: `
..................
.....hsssssssS....
....hsvsssssvsS...
....hssvsssvsSS...
....hsssvcvssSS...
....hvvcccccCCS...
....vvcccccccCC...
....vcccccccCCC...
....vccccccccCC...
....CcccCCcccCC...
`},
		arm: view{front: `
..hs
.hsS
.hsS
.ssS
.sSS
hss.
sSS.
`, side: `
hsS.
hsS.
hsS.
ssS.
sSS.
hssS
sSS.
`, back: `
..hs
.hsS
.hsS
.ssS
.sSS
hss.
sSS.
`},
		armUp: view{front: `
..hs
.hsS
.hsS
.sSS
hsss
sSS.
`, back: `
..hs
.hsS
.ssS
.sSS
hsS.
`},
		leg: [4]string{`
cccC
ccCC
.hsS
.ssS
hssS
SSSS
`, `
ccCC
CCCC
hsS.
hsS.
sssS
SSSS
`, `
...ccCC
..CCCC.
..hsS..
.hsS...
hssS...
.SS....
`, `
ccCC...
.CCCC..
..hsS..
...hsSS
...ssSS
....SS.
`},
	}
}
