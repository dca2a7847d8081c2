#!/bin/sh
# Fetches Godot 4.6 for the tests and prints the command that runs it.
#
#   godot=$(client/godot/install-godot.sh)
#   $godot --version
#
# A Godot 4 of your own comes first: set GODOT=/path/to/godot, or have one as
# godot4 or godot on PATH. Otherwise the packages of Debian's forky suite are unpacked,
# with every library they need, into a cache folder (TAVERN_GODOT_CACHE, default
# ~/.cache/tavern-godot) and started through their own loader. Nothing is
# installed into the system; the archive's address is that of the system's own apt
# sources. Running it again costs nothing. Progress goes to stderr.
set -eu

say() { echo "install-godot: $*" >&2; }
die() { say "$*"; exit 1; }

for own in "${GODOT:-}" godot4 godot; do
	[ -n "$own" ] && command -v "$own" >/dev/null || continue
	case $("$own" --version 2>/dev/null) in
	4.[6-9]* | 4.[1-9][0-9]*) command -v "$own"; exit 0 ;;
	esac
done
[ -z "${GODOT:-}" ] || die "GODOT=$GODOT is not a Godot 4.6 or newer"

cache=${TAVERN_GODOT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tavern-godot}
suite=forky
# godot, and what it loads at run time when there is a screen.
packages="godot libgl1 libglx-mesa0 libegl1 libgl1-mesa-dri"

mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
if [ -x "$cache/godot" ] && "$cache/godot" --version >/dev/null 2>&1; then
	echo "$cache/godot"
	exit 0
fi

command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null ||
	die "needs apt-get and dpkg-deb; elsewhere set GODOT to a Godot 4.6 binary"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -r $keyring ] || die "no Debian keyring here; set GODOT to a Godot 4.6 binary"
# The first archive of Debian itself among the system's sources that is not one of the security updates.
archive=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' |
	grep '/debian/*$' | head -n 1)
[ -n "$archive" ] || die "no Debian archive in the apt sources; set GODOT to a Godot 4.6 binary"

# An apt of our own: its lists, its cache, and an empty status file, so that it
# names every library down to libc and touches nothing of the system's.
apt=$cache/apt
mkdir -p "$apt/etc/sources.list.d" "$apt/etc/preferences.d" "$apt/etc/apt.conf.d" \
	"$apt/state/lists/partial" "$apt/cache/archives/partial"
: >"$apt/state/status"
echo "deb [signed-by=$keyring] $archive $suite main" >"$apt/etc/sources.list"
ours() {
	apt-get -qq -o Dir::Etc="$apt/etc" -o Dir::State="$apt/state" -o Dir::State::status="$apt/state/status" \
		-o Dir::Cache="$apt/cache" -o APT::Sandbox::User= -o APT::Install-Recommends=false \
		-o Acquire::Languages=none -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false \
		-o Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false "$@" >&2
}
say "fetching Godot from $suite into $cache"
ours update
# shellcheck disable=SC2086 # a list of words
ours install --download-only -y $packages

root=$cache/root
rm -rf "$root"
mkdir -p "$root"
for deb in "$apt"/cache/archives/*.deb; do
	dpkg-deb -x "$deb" "$root"
done
rm -rf "$apt" # as large again as what was unpacked

triplet=$(basename "$(dirname "$(find "$root" -path '*-linux-gnu*/libc.so.6' | head -n 1)")")
loader=$(find "$root" -name 'ld-linux*.so.*' | head -n 1)
libs=$root/usr/lib/$triplet
[ -x "$loader" ] || die "no loader among the packages"
cat >"$cache/godot" <<RUN
#!/bin/sh
# Written by install-godot.sh: Godot with the libraries it was built with.
LIBGL_DRIVERS_PATH="$libs/dri" GBM_BACKENDS_PATH="$libs/gbm" \\
__EGL_VENDOR_LIBRARY_DIRS="$root/usr/share/glvnd/egl_vendor.d" \\
exec "$loader" --library-path "$libs:$libs/pulseaudio" "$root/usr/bin/godot" "\$@"
RUN
chmod +x "$cache/godot"
version=$("$cache/godot" --version) || die "the unpacked Godot does not start"
say "Godot $version"
echo "$cache/godot"
