#!/usr/bin/env bash
# Installs what the tests run against: Chromium, Prometheus, Alertmanager, kcat, openssl, Java, Maven (Debian packages), and
# the jars of a Kafka broker (Maven); unpacks log forwarders. Idempotent: what is there is left alone. Starts no service.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
  echo "install-test-deps: $*" >&2
  exit 1
}

# Kafka 4 brokers need Java 17.
java_major() {
  if command -v java > /dev/null; then
    java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -1
  else
    echo 0
  fi
}

missing_packages() {
  command -v chromium > /dev/null || echo chromium
  { command -v prometheus && command -v promtool; } > /dev/null || echo prometheus
  { command -v prometheus-alertmanager && command -v amtool; } > /dev/null || echo prometheus-alertmanager
  command -v kcat > /dev/null || echo kcat
  command -v openssl > /dev/null || echo openssl
  command -v mvn > /dev/null || echo maven
  if [ "$(java_major)" = 0 ]; then
    echo default-jre-headless
  elif [ "$(java_major)" -lt 17 ]; then
    echo openjdk-17-jre-headless
  fi
}

apt_line() {
  echo "apt-get update && apt-get install --yes --no-install-recommends $*"
}

install_packages() {
  local as_root=()
  command -v apt-get > /dev/null ||
    fail "needs these programs, and this is not Debian or Ubuntu: install what these packages hold: $*"
  if [ "$(id -u)" != 0 ]; then
    if command -v sudo > /dev/null && sudo -n true 2> /dev/null; then
      as_root=(sudo -n)
    else
      fail "packages are missing and this user may not install them. Run as root: $(apt_line "$@")"
    fi
  fi

  # Debian starts daemons on installation; the tests start their own. 101 means: not allowed.
  local policy=/usr/sbin/policy-rc.d own_policy=
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" > /dev/null
    "${as_root[@]}" chmod 755 "$policy"
    own_policy=yes
  fi
  local status=0
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive sh -c "$(apt_line "$@")" >&2 || status=$?
  if [ -n "$own_policy" ]; then "${as_root[@]}" rm -f "$policy"; fi
  [ "$status" = 0 ] || fail "the installation failed (apt-get exit $status). By hand, as root: $(apt_line "$@")"
}

# Twice: the default Java of an older release may still be below 17 after the first round.
for _ in 1 2; do
  mapfile -t packages < <(missing_packages)
  [ "${#packages[@]}" = 0 ] && break
  echo "install-test-deps: installing ${packages[*]}" >&2
  install_packages "${packages[@]}"
done
mapfile -t packages < <(missing_packages)
[ "${#packages[@]}" = 0 ] || fail "still missing after the installation: ${packages[*]}"

libs=build/kafka-libs
pom=test/support/kafka/pom.xml
if ! cmp --silent "$pom" "$libs/pom.xml"; then
  echo "install-test-deps: fetching the Kafka broker's jars (44 MB) with Maven" >&2
  rm -rf "$libs" "$libs.part"
  mkdir -p build
  mvn --quiet --batch-mode -Dstyle.color=never --file "$pom" dependency:copy-dependencies \
    -DoutputDirectory="$PWD/$libs.part" -DincludeScope=runtime >&2 ||
    fail "Maven could not fetch the Kafka jars: check the network and ~/.m2/settings.xml (mirror, proxy), then run npm test again"
  # Last, so that a half-copied directory is never taken for a whole one.
  cp "$pom" "$libs.part/pom.xml"
  mv "$libs.part" "$libs"
fi

# Without them all other tests still run; those of the forwarders say what is missing.
bash scripts/fetch-forwarders.sh || echo "install-test-deps: going on without log forwarders" >&2
