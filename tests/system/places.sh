#!/usr/bin/env bash
# `make smoke` from a fresh clone of HEAD in each kind of place where a newcomer may be, and a table of what happened.
# tests/system/places.sh [name...] tries only these. Needs root, and takes minutes: each place installs its own .venv.
set -uo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
[ "$(id -u)" = 0 ] || { echo "Only root can try root's folder and other users' homes." >&2; exit 1; }

person=relay-places
id "$person" >/dev/null 2>&1 && { echo "There is a user $person: this script makes and removes one." >&2; exit 1; }
inside=$(mktemp -d /root/relay-places.XXXXXX)  # closed to others
outside=$(mktemp -d /var/tmp/relay-places.XXXXXX)
chmod 755 "$outside"
trap 'userdel -r "$person" 2>/dev/null; rm -rf "$inside" "$outside"' EXIT
git -C "$here" bundle create --quiet "$outside/relay.bundle" HEAD || exit 1
log=$outside/log
rows=()
wrong=0

# <what the place is> <exit code and text that must come> <command>...
try() {
  local what=$1 code=$2 text=$3 began=$SECONDS got verdict=ok
  shift 3
  echo "== $what: $*"
  "$@" >"$log" 2>&1 </dev/null
  got=$?
  if [ "$got" != "$code" ] || ! grep -q -- "$text" "$log"; then
    verdict=WRONG
    wrong=1
    tail -40 "$log"
  fi
  rows+=("$(printf '%-58s %4s %6s s  %s' "$what" "$got" "$((SECONDS - began))" "$verdict")")
}
clone() { git -c advice.detachedHead=false clone --quiet "$outside/relay.bundle" "$1"; }
python() { # the path of such a Python, where the machine has one
  local found
  for found in $(type -aP "python$1") "$HOME"/.pyenv/versions/"$1".*/bin/python3; do
    "$found" -c 'import sys; sys.exit("%d.%d" % sys.version_info[:2] != sys.argv[1])' "$1" 2>/dev/null \
      && { echo "$found"; return; }
  done
  return 1
}
without_network() { unshare --net sh -c 'ip link set lo up && exec "$@"' - "$@"; }
closed_tmp() { unshare --mount sh -c 'mount -t tmpfs -o noexec,mode=1777 none /tmp && exec "$@"' - "$@"; }
without_redis() {
  unshare --mount sh -c 'at=$(command -v redis-server) && mount --bind /dev/null "$at"; exec "$@"' - "$@"
}
arrived="agent to customer .* ok"

root() {
  clone "$inside/relay"
  try "root, in a folder closed to others" 0 "$arrived" make -C "$inside/relay" smoke
  try "the same, programs forbidden in /tmp" 0 "$arrived" closed_tmp make -C "$inside/relay" smoke
  touch "$inside/relay/setup.cfg"
  try "the same without a network, pip asked again" 0 "$arrived" without_network make -C "$inside/relay" smoke
}

home() {
  useradd --create-home --shell /bin/bash "$person"
  local folder
  folder=$(getent passwd "$person" | cut -d: -f6)
  chmod 700 "$folder"
  as() { (cd "$folder" && runuser -u "$person" -- env HOME="$folder" USER="$person" "$@"); }
  as git -c advice.detachedHead=false clone --quiet "$outside/relay.bundle" "$folder/relay"
  try "an ordinary user, in a home of mode 700" 0 "$arrived" as make -C "$folder/relay" smoke
  try "the same, programs forbidden in /tmp" 0 "$arrived" \
    closed_tmp runuser -u "$person" -- env HOME="$folder" USER="$person" make -C "$folder/relay" smoke
  as make -C "$folder/relay" venv >"$log" 2>&1 || tail -5 "$log"
  # A part of `make test`: linters, private servers, the product's processes, a browser.
  try "the same: linters" 0 "0 broken" as make -C "$folder/relay" lint
  try "the same: tests with servers, processes and browser" 0 " passed" as sh -c "cd '$folder/relay' && exec \
    .venv/bin/python -m pytest -q tests/integration/test_services.py tests/integration/test_postgres_home.py \
    tests/integration/test_demo.py tests/flow/test_inbound.py tests/contract/test_sandbox_page.py \
    tests/security/test_reverse_proxy.py tests/security/test_tls.py"
}

blanks() {
  local folder="$inside/Gäste & Kunden/ein Ordner, dessen Name länger ist, als die erste Zeile eines Skripts sein darf/relay"
  mkdir -p "${folder%/*}" && clone "$folder"
  try "a long path with blanks and letters beyond ASCII" 0 "$arrived" make -C "$folder" smoke
  make -C "$folder" venv >"$log" 2>&1 || tail -5 "$log"
  try "the same: linters" 0 "0 broken" make -C "$folder" lint
}

ports() {
  clone "$inside/ports"
  make -C "$inside/ports" .venv/sandbox.stamp >"$log" 2>&1 || tail -5 "$log"
  "$inside/ports/.venv/bin/python" -m http.server --bind 127.0.0.1 8000 >/dev/null 2>&1 &
  local taken=$!
  until (: </dev/tcp/127.0.0.1/8000) 2>/dev/null; do kill -0 "$taken" || break; done
  try "demo with its port taken: said, with how to choose" 2 "Port 8000 (WEB_PORT) is taken" make -C "$inside/ports" demo
  kill "$taken"
}

pythons() {
  local twelve thirteen redis
  if twelve=$(python 3.12); then
    clone "$inside/twelve"
    # An old python3 comes first on the PATH; the right one is found by its version.
    mkdir "$inside/bin" && ln -s "$twelve" "$inside/bin/python3.12"
    printf '#!/bin/sh\nexit 1\n' >"$inside/bin/python3" && chmod 755 "$inside/bin/python3"
    try "Python 3.12, found though python3 is unfit" 0 "$arrived" env PATH="$inside/bin:$PATH" make -C "$inside/twelve" smoke
    redis=$inside/twelve/.venv/bin/redis-server
  else
    rows+=("Python 3.12: not on this machine")
  fi
  if thirteen=$(python 3.13); then
    clone "$inside/thirteen"
    try "Python 3.13 without a redis-server: said, and what to do" 2 "There is no redis-server" \
      without_redis make -C "$inside/thirteen" smoke PYTHON="$thirteen"
    mkdir "$inside/redis"
    [ ! -x "${redis:-}" ] || ln -s "$redis" "$inside/redis/redis-server"
    try "Python 3.13 with a redis-server" 0 "$arrived" \
      env PATH="$inside/redis:$PATH" make -C "$inside/thirteen" smoke PYTHON="$thirteen"
  else
    rows+=("Python 3.13: not on this machine")
  fi
}

# Read whole before anything runs: a change of this file does not reach a run of it.
main() {
  [ $# -gt 0 ] || set -- root home blanks ports pythons
  for place in "$@"; do "$place"; done
  printf '\n%-58s %4s %8s\n' place code time
  printf '%s\n' "${rows[@]}"
  exit "$wrong"
}
main "$@"
