package main

// The frog: a straw hat with a red band, big eyes, blue overalls.
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
