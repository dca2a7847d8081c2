#!/usr/bin/env bash
# The definition of green, for people and for CI: prints each step's name, stops
# at the first failure, and says SKIPPED and why where a step cannot run.
# Installs what it needs. Usage: scripts/check.sh [fast]
# "fast" leaves out the fuzzers and the clients in browser and engine.
set -euo pipefail
cd "$(dirname "$0")/.."

fast=${1:-}
began=$SECONDS
step() { printf '\n== %s (%ds)\n' "$*" $((SECONDS - began)); }
skip() { printf 'SKIPPED: %s\n' "$*"; }
fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }
tool() { go tool -modfile=scripts/tools.mod "$@"; }

step "prerequisites"
command -v go >/dev/null || fail "Go is missing: install Go 1.26 or later"
if ! command -v "${CC:-cc}" >/dev/null && ! command -v gcc >/dev/null; then
	command -v apt-get >/dev/null || fail "a C compiler is missing"
	apt-get update -qq && apt-get install -y -qq gcc libc6-dev
fi
go version
go mod download

step "gofmt"
unformatted=$(git ls-files -z '*.go' | xargs -0 gofmt -l)
[ -z "$unformatted" ] || fail "not formatted: $unformatted"

step "go mod tidy"
go mod tidy -diff

step "imports run one way"
ours() { go list -deps "$1" | grep -E '^(tavern|github.com/lesismal|github.com/mattn)' | grep -v "^$2\$" || true; }
[ -z "$(ours ./codec tavern/codec)" ] || fail "codec imports something of ours"
ours ./game tavern/game | grep -qvE '^tavern/(codec|game)' && fail "game imports the edge or a driver: $(ours ./game tavern/game)"
[ -z "$(ours ./game/ring tavern/game/ring)" ] || fail "ring imports something of ours"
[ -z "$(ours ./game/stream tavern/game/stream)" ] || fail "stream imports something of ours"
for p in $(go list ./... | grep -v '^tavern/game/account'); do
	go list -f '{{join .Imports "\n"}}' "$p" | grep -q 'mattn/go-sqlite3' && fail "$p imports the SQL driver; only game/account may"
done

step "go vet"
go vet ./...
(cd bench/peers && go vet ./...)

step "staticcheck"
tool staticcheck ./...

step "golangci-lint"
if command -v golangci-lint >/dev/null; then
	golangci-lint run
else
	skip "golangci-lint is not installed; vet and staticcheck ran by themselves"
fi

step "scripts and the systemd unit"
if ! command -v shellcheck >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	apt-get update -qq && apt-get install -y -qq --no-install-recommends shellcheck >/dev/null
fi
if command -v shellcheck >/dev/null; then
	git ls-files -z '*.sh' .ci/run scripts/package/postinst scripts/package/prerm scripts/package/postrm | xargs -0 shellcheck --severity=warning
else
	skip "shellcheck is not installed"
fi
if command -v systemd-analyze >/dev/null; then
	unit=$(mktemp -d)
	sed 's|/usr/bin/tavern|/bin/true|' scripts/package/tavern.service >"$unit/tavern.service"
	problems=$(systemd-analyze verify "$unit/tavern.service" 2>&1) || true
	rm -r "$unit"
	[ -z "$(grep tavern.service <<<"$problems")" ] || fail "the unit: $problems"
	# Of 10.0, which is a service without any sandbox.
	systemd-analyze security --offline=true --threshold=15 scripts/package/tavern.service | tail -1
else
	skip "systemd-analyze is not installed"
fi

step "govulncheck"
if out=$(tool govulncheck ./server ./bench 2>&1); then
	echo "$out"
elif grep -qE 'fetching vulnerabilities|no such host|dial tcp|connection refused|i/o timeout' <<<"$out"; then
	skip "the vulnerability data cannot be reached from here"
else
	echo "$out"
	fail "govulncheck"
fi

step "Django, for the tests of import-django"
if ! /usr/bin/python3 -c 'import django' 2>/dev/null; then
	if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
		apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-django >/dev/null
	else
		skip "python3-django is not installed; its tests say SKIPPED"
	fi
fi

step "nginx and Caddy, for the tests of the guide to them"
# Only unpacked: to install them would start them.
for program in nginx caddy; do
	PATH=$PATH:/usr/sbin:.cache/proxies/usr/sbin:.cache/proxies/usr/bin command -v $program >/dev/null && continue
	if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null; then
		unpacked=$(mktemp -d)
		apt-get update -qq
		(cd "$unpacked" && apt-get download -qq -o APT::Sandbox::User=root "$program" >/dev/null)
		mkdir -p .cache/proxies
		dpkg-deb -x "$unpacked/$program"_*.deb .cache/proxies
		rm -rf "$unpacked"
	else
		skip "$program is not installed; its tests say SKIPPED"
	fi
done

step "go test -race"
go test -race -shuffle=on -timeout 8m ./...

if [ "$fast" = fast ]; then
	step "done, without fuzzers and clients"
	exit 0
fi

step "fuzz, a few seconds each"
scripts/fuzz.sh 3s

step "the server for the clients' tests"
built=$(mktemp -d)
trap 'rm -rf "$built"' EXIT
go build -o "$built/server" ./server
export TAVERN_SERVER="$built/server"

step "browser client"
if command -v node >/dev/null && command -v npm >/dev/null; then
	sh client/web/test/run.sh
else
	skip "node and npm are not installed"
fi

step "Godot client"
case "$(uname -sm)" in
"Linux x86_64") client/godot/test.sh ;;
*) skip "Godot's packages are fetched for Linux on x86_64 only" ;;
esac

step "done"
