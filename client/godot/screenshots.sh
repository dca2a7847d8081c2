#!/usr/bin/env bash
# Pictures of the client at desktop and phone size, drawn in software under Xvfb:
#   client/godot/screenshots.sh FOLDER [WIDTHxHEIGHT prefix]...
# TAVERN_SERVER=/path/to/a/built/server, or Go to build one.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
to=$(mkdir -p "${1:?where to put the pictures}" && cd "$1" && pwd)
shift
[ $# -gt 0 ] || set -- 1280x720 desktop 390x844 phone
command -v Xvfb >/dev/null || { echo "screenshots: needs Xvfb" >&2; exit 1; }
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
export XDG_DATA_HOME="$work/data" XDG_CONFIG_HOME="$work/config" XDG_CACHE_HOME="$work/cache"
server=${TAVERN_SERVER:-}
if [ -z "$server" ]; then
	server=$work/server
	(cd "$here/../.." && go build -o "$server" ./server)
fi
port=$((20000 + $$ % 20000))
"$server" -addr "127.0.0.1:$port" -db "$work/shots.db" >"$work/server.log" 2>&1 &
pids="$pids $!"
Xvfb -displayfd 3 -screen 0 2600x1600x24 3>"$work/display" >"$work/xvfb.log" 2>&1 &
pids="$pids $!"
until [ -s "$work/display" ]; do sleep 0.1; done
DISPLAY=:$(cat "$work/display")
export DISPLAY LIBGL_ALWAYS_SOFTWARE=1

"$godot" --headless --path "$here" --import >"$work/import.log" 2>&1 || { cat "$work/import.log"; exit 1; }
while [ $# -ge 2 ]; do
	timeout 300 "$godot" --path "$here" --display-driver x11 --rendering-driver opengl3 --audio-driver Dummy \
		--resolution "$1" -s tests/screenshots.gd -- --server="ws://127.0.0.1:$port" --settings="$work/$2.cfg" \
		--to="$to" --prefix="$2-" 2>&1 | grep -v '^$' || exit 1
	shift 2
done
ls "$to"
