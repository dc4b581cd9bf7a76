#!/usr/bin/env bash
# Install the system's programs that the tests need and that no wheel carries: RabbitMQ, nginx, promtool and a browser.
# Starts no service, and does nothing where all is there.
set -euo pipefail

found() { for name in "$@"; do command -v "$name" >/dev/null && return 0; done; return 1; }
exists() { for path in "$@"; do [ -x "$path" ] && return 0; done; return 1; }

missing=()
exists /usr/lib/rabbitmq/bin/rabbitmq-server /opt/rabbitmq/sbin/rabbitmq-server \
  /opt/homebrew/sbin/rabbitmq-server /usr/local/sbin/rabbitmq-server && found epmd || missing+=(rabbitmq-server)
found nginx || exists /usr/sbin/nginx || missing+=(nginx)
browser=(); found chromium-headless-shell chromium chromium-browser google-chrome || browser=(chromium)
# The wheel's Redis knows no TLS; the tests of it take the system's.
exists /usr/bin/redis-server /usr/local/bin/redis-server /opt/homebrew/bin/redis-server || missing+=(redis-server)
# It reads the units of deploy/; nothing of it is started.
found systemd-analyze || missing+=(systemd)
# promtool judges the alert rules; no server of it is started.
found promtool || missing+=(prometheus)
missing+=("${browser[@]}")
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" != 0 ]; then as_root=(sudo -n); fi
if ! found apt-get || ! "${as_root[@]}" true 2>/dev/null; then
  echo "The tests need these programs, and they cannot be installed from here: ${missing[*]}" >&2
  echo "On Debian and Ubuntu, as root:   apt-get install --no-install-recommends ${missing[*]}" >&2
  echo "They are only installed, not started: the tests run private instances." >&2
  exit 1
fi

# A package that brings a service would start it. This file is how Debian is told not to.
guard=/usr/sbin/policy-rc.d
if [ ! -e "$guard" ]; then
  trap '"${as_root[@]}" rm -f "$guard"' EXIT
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$guard" >/dev/null
  "${as_root[@]}" chmod 755 "$guard"
fi

echo "Installing for the tests: ${missing[*]}"
install=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 -y --no-install-recommends install)
log=$(mktemp)
fetch() {
  "${as_root[@]}" apt-get -qq update || return 1
  # Debian has the browser without its windows as well, which is enough and quicker.
  if [ ${#browser[@]} -gt 0 ] && apt-cache show chromium-headless-shell >/dev/null 2>&1; then
    missing=("${missing[@]/#chromium/chromium-headless-shell}")
  fi
  "${as_root[@]}" "${install[@]}" "${missing[@]}"
}
fetch >"$log" 2>&1 || {
  cat "$log" >&2
  rm -f "$log"
  echo "apt-get could not install ${missing[*]}; see above." >&2
  exit 1
}
rm -f "$log"
