#!/bin/bash
# Puts the values that the local stack has too, and those of the container, in place of the
# image's own, and runs Pulsar in the foreground. BookKeeper reads the same file and takes the
# first of two values, so the file must not have a key twice.
set -euo pipefail
conf="${RVA_PULSAR_CONF:-/tmp/standalone.conf}"
addresses="$(mktemp)"
# Two listeners: containers reach the broker by its name, the host by 127.0.0.1.
cat > "${addresses}" <<END
brokerServicePort=6650
webServicePort=8080
bindAddress=0.0.0.0
bindAddresses=host:pulsar://0.0.0.0:6651
advertisedListeners=network:pulsar://${RVA_PULSAR_HOST:-pulsar}:6650,host:pulsar://127.0.0.1:${RVA_PORT_PULSAR:-6650}
internalListenerName=network
END
awk '
  /^[[:space:]]*(#|$)/ { next }
  {
    at = index($0, "=")
    key = substr($0, 1, at - 1)
    gsub(/[[:space:]]/, "", key)
    if (!(key in value)) order[++keys] = key
    value[key] = substr($0, at + 1)
  }
  END { for (i = 1; i <= keys; i++) print order[i] "=" value[order[i]] }
' conf/standalone.conf "${RVA_CONFIG:-/opt/rva/config}/pulsar/standalone.properties" \
  "${addresses}" > "${conf}"
export PULSAR_STANDALONE_CONF="${conf}"
exec bin/pulsar standalone --no-functions-worker --no-stream-storage "$@"
