#!/usr/bin/env bash
# Runs the fuzz targets, each for some minutes, and stops at the first that finds
# something: its input stays under testdata/fuzz and fails "go test" from then on.
# Usage: scripts/fuzz.sh MINUTES [TARGET...]
# MINUTES may also be a duration, like 30s. Without targets all are run; they are
# found by themselves. On a machine that others use: nice -n 19 scripts/fuzz.sh 10
set -euo pipefail
cd "$(dirname "$0")/.."

usage() { sed -n '/^# Usage/,/^set/p' "$0" | grep '^#' | sed 's/^# //' >&2; exit 2; }
time=${1:-}
case $time in
[1-9]*[smh]) ;;
[1-9]*) time+=m ;;
esac
[[ $time =~ ^[1-9][0-9]*[smh]$ ]] || usage
shift

# One line per target: its name and its package.
found=$(git grep --untracked -hoE '^func Fuzz[A-Za-z0-9]+\(f \*testing\.F\)' -- '*_test.go' | sed 's/func //; s/(.*//' | sort)
twice=$(uniq -d <<<"$found")
[ -z "$twice" ] || { echo "two targets have the name $twice" >&2; exit 2; }
for target in "$@"; do
	grep -qx "$target" <<<"$found" || { echo "there is no target $target among" $found >&2; exit 2; }
done
[ $# -gt 0 ] || set -- $found

log=$(mktemp)
trap 'rm -f "$log"' EXIT
began=$SECONDS
for target in "$@"; do
	pkg=./$(dirname "$(git grep --untracked -lE "^func $target\(" -- '*_test.go')")
	seeds=$(find "$pkg/testdata/fuzz/$target" -type f 2>/dev/null | wc -l || true)
	if ! go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 300x -parallel 2 "$pkg" >"$log" 2>&1; then
		cat "$log" >&2
		echo "FAILED: $target in $pkg after $((SECONDS - began)) s; what it found is kept in" >&2
		git status --short --untracked-files=all -- "$pkg/testdata/fuzz" >&2
		exit 1
	fi
	# "fuzz: elapsed: 2m0s, execs: 123456 (1028/sec), new interesting: 7 (total: 90)"
	printf '%-20s %-24s %4d seeds  %s\n' "$target" "$pkg" "$seeds" "$(grep -o 'elapsed: .*execs.*' "$log" | tail -1)"
done
echo "$# targets, $time each, nothing found, $((SECONDS - began)) s in all"
