#!/usr/bin/env bash
# Unpacks syslog-ng and rsyslog, with the libraries that this machine lacks, into build/forwarders: nothing is installed, and no root
# is needed. Idempotent; without a network it says so and ends with 1.
set -euo pipefail
cd "$(dirname "$0")/.."

target=$PWD/build/forwarders
[ -e "$target/complete" ] && exit 0

fail() {
  echo "fetch-forwarders: $*" >&2
  exit 1
}
command -v apt-get > /dev/null && command -v dpkg > /dev/null ||
  fail "log forwarders are unpacked from Debian's packages, and this is not Debian or Ubuntu"

# What apt would install with these. Asked for one forwarder at a time: the two exclude each other as packages.
with_libraries() {
  printf '%s\n' "$@"
  apt-get install --simulate --no-install-recommends "$@" 2> /dev/null | sed -n 's/^Inst \([^ ]*\).*/\1/p'
}
mapfile -t packages < <({
  with_libraries syslog-ng-core syslog-ng-mod-http syslog-ng-mod-rdkafka
  with_libraries rsyslog rsyslog-kafka
} | sort -u)

rm -rf "$target" "$target.part"
mkdir -p "$target.part/debs"
echo "fetch-forwarders: fetching ${packages[*]}" >&2
(cd "$target.part/debs" && apt-get download -o Acquire::Retries=2 "${packages[@]}" > ../apt.log 2>&1) || {
  tail -5 "$target.part/apt.log" >&2
  fail "apt-get could not fetch them: check the network, run apt-get update as root, then run this again"
}
for package in "$target.part"/debs/*.deb; do dpkg -x "$package" "$target.part/root"; done
rm -r "$target.part/debs"
touch "$target.part/complete"
# Last, so that a half-unpacked directory is never taken for a whole one.
mv "$target.part" "$target"
