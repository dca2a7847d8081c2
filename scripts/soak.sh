#!/usr/bin/env bash
# Soaks this repository's server: some 2,000 bots for so many minutes, of whom 1,800
# stay, talk and walk, and the others come and go in every way, slow readers and
# senders of garbage among them. Afterwards goroutines, files, tables and heap
# must be what they were, and every account must add up; otherwise it exits with 1.
# Loads nothing but a server of its own on loopback. A report is written to OUT, by
# default a new folder under the system's temporary one.
# Usage: [OUT=folder] scripts/soak.sh MINUTES [more flags of bench soak]
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }

minutes=${1:-}
[[ $minutes =~ ^[1-9][0-9]*$ ]] || fail "how many minutes? Usage: [OUT=folder] scripts/soak.sh MINUTES [more flags of bench soak]"
shift
command -v go >/dev/null || fail "Go is missing: install Go 1.26 or later"
out=${OUT:-$(mktemp -d -t tavern-soak-XXXXXX)}
mkdir -p "$out"

# The room, and at any time about 40 visitors a second x 4 s, slow readers 1 x 30 s,
# and a few of the others.
soak=(go run ./bench soak -guests 900 -players 900 -rate 200 -churn 40 -stay 4s
	-halfway 4 -garbage 8 -slow 1 -slow-stay 30s -time "${minutes}m" -every 1m
	-bound 0 -max-time "$((minutes * 2 + 20))m"
	-json "$out/soak.json" -report "$out" "$@")

printf '== soak for %s minutes, report in %s\n' "$minutes" "$out"
printf '%s\n' "${soak[*]}"
code=0
"${soak[@]}" 2>&1 | tee "$out/soak.log" || code=$?
[ "$code" = 0 ] || fail "see $out/soak.log"
printf '== done: everything is as before, all accounts add up\n'
