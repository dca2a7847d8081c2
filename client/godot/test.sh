#!/usr/bin/env bash
# Everything that proves the Godot client: import, unit tests, an export, and two
# clients playing against the real server. Needs Go, or TAVERN_SERVER=/path/to/a/built/server.
# With arguments, only the steps named: import unit export e2e.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
pids=
finish() {
	for pid in $pids; do kill "$pid" 2>/dev/null || :; done
	wait 2>/dev/null || :
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

godot=$("$here/install-godot.sh")
# Godot's own files go where nobody misses them: tests must not touch a player's settings.
export XDG_DATA_HOME="$work/data" XDG_CONFIG_HOME="$work/config" XDG_CACHE_HOME="$work/cache"

die() { echo "FAIL $*" >&2; exit 1; }

# run NAME SECONDS ARGUMENT...: runs Godot, and fails if it fails or prints an error.
run() {
	name=$1 limit=$2
	shift 2
	timeout "$limit" "$godot" --headless --path "$here" "$@" >"$work/$name.log" 2>&1 ||
		{ cat "$work/$name.log"; die "$name"; }
	if grep -q 'ERROR' "$work/$name.log"; then
		grep -A 5 'ERROR' "$work/$name.log"
		die "$name printed errors"
	fi
}

do_import() {
	echo "== godot: import"
	run import 300 --import
}

do_unit() {
	echo "== godot: unit tests"
	run unit 120 -s tests/run.gd
	tail -n 1 "$work/unit.log"
}

# The exported project must start by itself: files that only the editor sees would be missing.
do_export() {
	echo "== godot: export"
	run export 300 --export-pack Linux "$work/tavern.pck"
	(
		cd "$work" && timeout 60 "$godot" --headless --main-pack tavern.pck --quit-after 120 \
			-- --server=ws://127.0.0.1:9 --settings="$work/exported.cfg" >pack.log 2>&1
	) || { cat "$work/pack.log"; die "the exported project does not start"; }
	! grep -A 5 'ERROR' "$work/pack.log" || die "the exported project printed errors"
}

start_server() {
	"$server" -addr "127.0.0.1:$port" -db "$work/e2e.db" >>"$work/server.log" 2>&1 &
	server_pid=$!
	pids="$pids $server_pid"
}

# wait_for FILE TEXT SECONDS: until the file has the text; fails if a client has ended badly.
wait_for() {
	tries=$(($3 * 5))
	until grep -q "$2" "$1"; do
		tries=$((tries - 1))
		if [ $tries -le 0 ] || grep -q '^FAIL\|SCRIPT ERROR' "$work/alice.log" "$work/bob.log"; then
			tail -n 40 "$work/alice.log" "$work/bob.log" "$work/server.log"
			die "e2e: no \"$2\" in $(basename "$1")"
		fi
		sleep 0.2
	done
}

play() {
	"$godot" --headless --path "$here" -s tests/e2e.gd -- --role="$1" \
		--server="ws://127.0.0.1:$port" --settings="$work/$1.cfg" >"$work/$1.log" 2>&1 &
	pids="$pids $!"
}

do_e2e() {
	echo "== godot: two clients against the server"
	server=${TAVERN_SERVER:-}
	if [ -z "$server" ]; then
		server=$work/server
		(cd "$here/../.." && go build -o "$server" ./server)
	fi
	# A port that nobody listens on.
	port=$((20000 + $$ % 20000))
	while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
	: >"$work/server.log"
	start_server
	play alice
	play bob
	wait_for "$work/alice.log" "RESTART first" 90
	kill -TERM $server_pid # a restart by the operator
	wait $server_pid || :
	start_server
	wait_for "$work/alice.log" "RESTART second" 60
	kill -KILL $server_pid # a crash
	wait $server_pid 2>/dev/null || :
	start_server
	wait_for "$work/bob.log" "bob DONE" 60
	wait_for "$work/alice.log" "alice DONE" 60
	! grep -A 5 ERROR "$work/alice.log" "$work/bob.log" || die "e2e printed errors"
	grep -c saw "$work/alice.log" "$work/bob.log" | sed "s|$work/||; s|.log:| saw |; s|$| things it waited for|"
}

# shellcheck disable=SC2048 # words, with a default
for step in ${*:-import unit export e2e}; do
	"do_$step"
done
echo "godot: all is well"
