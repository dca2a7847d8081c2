#!/bin/sh
# Runs every test of the web client: unit tests with node alone, then the client in real Chromium against the real server.
# Installs what is missing: Debian's chromium (when root), playwright-core and ws as package-lock.json pins them.
#   TAVERN_SERVER  the server's program; built from this repository when unset
#   CHROMIUM       the browser; default /usr/bin/chromium
#   TAVERN_SHOTS   a folder that gets pictures of what the browser showed
set -eu
cd "$(dirname "$0")"

echo "== unit tests"
node --test unit/*.test.js

export CHROMIUM="${CHROMIUM:-/usr/bin/chromium}"
if [ ! -x "$CHROMIUM" ]; then
	if [ "$(id -u)" != 0 ]; then
		echo "SKIPPED browser tests: no $CHROMIUM, and only root can install it"
		exit 0
	fi
	echo "== installing chromium"
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null
fi
# shellcheck disable=SC3013 # every sh that there is has -nt
if [ ! -d node_modules/playwright-core ] || [ package-lock.json -nt node_modules ]; then
	echo "== installing node modules"
	npm ci --no-audit --no-fund --loglevel=error
	touch node_modules
fi

if [ -z "${TAVERN_SERVER:-}" ]; then
	echo "== building the server"
	folder="$(mktemp -d)"
	trap 'rm -rf "$folder"' EXIT
	(cd ../../.. && go build -o "$folder/server" ./server)
	export TAVERN_SERVER="$folder/server"
fi

echo "== browser tests"
node --test --test-concurrency=1 browser/*.test.js
