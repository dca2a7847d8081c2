#!/usr/bin/env bash
# Builds a release of the last commit into dist/: archives and Debian packages for
# Linux on amd64 and arm64, and their checksums. The same commit, version, Go and C
# compiler make the same bytes. Usage: scripts/release.sh VERSION [ARCH...]
#
# Not built: Windows and macOS (their C toolchains are not in Debian, and SQLite
# needs one; `go build ./server` on such a machine makes a program for it).
#
# Needs Go, git, dpkg-deb, and of Debian gcc-aarch64-linux-gnu and
# libc6-dev-arm64-cross (on arm64: gcc-x86-64-linux-gnu and libc6-dev-amd64-cross).
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }

version=${1:-}
version=${version#v}
[[ $version =~ ^[0-9]+(\.[0-9]+)*([-+~][0-9A-Za-z.+~-]+)?$ ]] || fail "usage: scripts/release.sh VERSION [ARCH...], with a version like 1.2.0 or 1.2.0-rc1"
shift
[ $# -gt 0 ] || set -- amd64 arm64

repo=$PWD
dist=$repo/dist
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$dist"
[ -z "$(git status --porcelain)" ] || echo "note: what is not committed is not in this release"

# A clone has the commit and nothing else, so the version that Go notes is a clean one.
git clone --quiet --shared "$repo" "$work/src"
cd "$work/src"
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH CGO_ENABLED=1 GOOS=linux GOFLAGS='' TZ=UTC LC_ALL=C
export CGO_CFLAGS="-O2" CGO_LDFLAGS=""

host=$(go env GOHOSTARCH)
compiler() {
	case $1 in
	"$host") echo "${CC:-gcc}" ;;
	amd64) echo x86_64-linux-gnu-gcc ;;
	arm64) echo aarch64-linux-gnu-gcc ;;
	*) fail "no compiler is known for $1: amd64 and arm64 are" ;;
	esac
}

# notices collects the licenses of everything that is linked into the program.
notices() {
	local dir text
	echo "Tavern $version contains the work of others, under these licenses."
	[ ! -f LICENSE ] || printf '\n==== Tavern\n\n%s\n' "$(cat LICENSE)"
	printf '\n==== Go\n\n%s\n' "$(cat "$(go env GOROOT)/LICENSE")"
	go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}' ./server | sort -u |
		while read -r path at dir; do
			for text in "$dir"/LICENSE* "$dir"/COPYING* "$dir"/NOTICE*; do
				[ ! -f "$text" ] || printf '\n==== %s %s\n\n%s\n' "$path" "$at" "$(cat "$text")"
			done
		done
	printf '\n==== SQLite\n\nThe authors of SQLite have dedicated it to the public domain.\n'
}

# archive packs a folder of $work, the same way whenever and by whom it is done.
archive() {
	tar -C "$work" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner --mode=u+rw,go+r,go-w -cf - "$1" | gzip -9n >"$dist/$1.tar.gz"
}

# package makes the Debian package of an architecture from the built program.
package() {
	local arch=$1 program=$2 root=$work/deb-$1 from=scripts/package libc
	libc=$(readelf --dyn-syms --wide "$program" | grep -oE 'GLIBC_[0-9.]+' | sort -uV | tail -1)
	umask 022
	install -D -m 755 "$program" "$root/usr/bin/tavern"
	install -D -m 644 -t "$root/lib/systemd/system" "$from/tavern.service"
	install -D -m 644 -t "$root/etc/tavern" "$from/tavern.toml"
	install -m 600 -t "$root/etc/tavern" "$from/tavern.env"
	install -D -m 644 -t "$root/usr/share/doc/tavern" README.md
	install -D -m 644 -t "$root/usr/share/doc/tavern/guides" server/guides/*.md
	install -m 644 "$work/notices" "$root/usr/share/doc/tavern/copyright"
	install -d "$root/DEBIAN"
	install -m 755 -t "$root/DEBIAN" "$from/postinst" "$from/prerm" "$from/postrm"
	install -m 644 -t "$root/DEBIAN" "$from/conffiles"
	# A dash would begin Debian's own revision, and a candidate comes before its release.
	sed -e "s/@VERSION@/${version//-/\~}/" -e "s/@ARCH@/$arch/" -e "s/@LIBC@/${libc#GLIBC_}/" \
		-e "s/@SIZE@/$(du -sk --exclude=DEBIAN "$root" | cut -f1)/" "$from/control.in" >"$root/DEBIAN/control"
	(cd "$root" && find etc lib usr -type f -print0 | sort -z | xargs -0 md5sum >DEBIAN/md5sums)
	dpkg-deb --root-owner-group -Zxz --build "$root" "$dist/tavern_${version//-/\~}_$arch.deb" >/dev/null
}

notices >"$work/notices"
made=()
for arch in "$@"; do
	cc=$(compiler "$arch")
	command -v "$cc" >/dev/null || fail "$cc is missing: see the top of this script"
	name=tavern-$version-linux-$arch
	mkdir -p "$work/$name"
	echo "building $name"
	CC=$cc GOARCH=$arch go build -trimpath -buildvcs=true -ldflags "-s -w -X main.version=$version" -o "$work/$name/tavern" ./server
	cp README.md "$work/$name/"
	cp "$work/notices" "$work/$name/NOTICES"
	cp -r server/guides "$work/$name/guides"
	archive "$name"
	package "$arch" "$work/$name/tavern"
	made+=("$name.tar.gz" "tavern_${version//-/\~}_$arch.deb")
done
cd "$dist"
sha256sum "${made[@]}" >"tavern-$version.sha256"
cat "tavern-$version.sha256"
echo "not built: Windows, macOS"
