#!/bin/sh
# Unpacks Debian packages into a folder, with all that they need and a machine of this release has not got anyway:
#   sh debian-packages.sh ARCHITECTURE FOLDER PACKAGE…
# PRESENT  packages, or patterns of apt, that the machine has [what every Debian system is made of]
# WITHOUT  packages that are named as needed and are not, in this use of what names them
# Release, mirror and keys are those of the machine that this runs on. Nothing is installed and nothing of the packages
# is run, so the architecture may be another one and nobody has to be root.
set -euf
architecture=$1
folder=$2
shift 2
present=${PRESENT-?essential ?priority(required) apt}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial" "$work/packages" "$folder"
# Where root runs this, apt downloads as a user of its own.
if [ "$(id -u)" = 0 ]; then chown _apt "$work/packages"; fi
# To apt this is a machine without any package but those that are to be left out.
for name in ${WITHOUT-}; do
  printf 'Package: %s\nStatus: install ok installed\nArchitecture: all\nVersion: 9999:0\n\n' "$name"
done > "$work/state/status"

apt() {
  apt-get --quiet=2 --no-install-recommends \
    -o "APT::Architecture=$architecture" -o "APT::Architectures=$architecture" \
    -o "Dir::State=$work/state" -o "Dir::State::status=$work/state/status" -o "Dir::Cache=$work/cache" \
    -o Dir::Cache::pkgcache=all.bin -o Dir::Cache::srcpkgcache=lists.bin "$@"
}

# The names of what an installation would bring.
brings() {
  apt --simulate install "$@" > "$work/plan"
  sed -n 's/^Inst \([^ ]*\) .*/\1/p' "$work/plan" | sort
}

apt -o Acquire::Languages=none -o APT::Update::Error-Mode=any update
# shellcheck disable=SC2086 # words, not one
if [ -n "$present" ]; then brings $present; fi > "$work/has"
# shellcheck disable=SC2086
brings $present "$@" > "$work/needs"
# shellcheck disable=SC2046
(cd "$work/packages" && apt download $(comm -13 "$work/has" "$work/needs"))

mkdir -p "$folder/var/lib/dpkg/status.d"
set +f
for package in "$work"/packages/*.deb; do
  dpkg-deb --extract "$package" "$folder"
  # Where scanners look for packages that nobody has installed.
  dpkg-deb --field "$package" > "$folder/var/lib/dpkg/status.d/$(dpkg-deb --field "$package" Package)"
done
# Places that are links on a machine, and in packages still are not.
for place in bin sbin lib lib32 lib64 libx32; do
  if [ -d "$folder/$place" ]; then
    mkdir -p "$folder/usr/$place"
    cp -a "$folder/$place/." "$folder/usr/$place/"
    rm -r "${folder:?}/$place"
  fi
done
# Images have neither; licences they have.
rm -rf "$folder/usr/share/man" "$folder/usr/share/locale" "$folder/usr/share/lintian"
find "$folder/usr/share/doc" -type f ! -name copyright -delete
