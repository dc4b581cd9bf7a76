#!/bin/sh
# Run a command with the settings of a file that `relay init` wrote. What the container's own environment says counts more.
set -eu
if [ -n "${RELAY_ENV_FILE:-}" ] && [ -r "$RELAY_ENV_FILE" ]; then
  given=$(export -p)
  set -a
  # shellcheck source=/dev/null
  . "$RELAY_ENV_FILE"
  set +a
  eval "$given"
fi
exec "$@"
