#!/bin/bash
# Joins the configuration that the local stack has too with that of the container, and runs
# Trino in the foreground.
set -euo pipefail
etc=/tmp/trino-etc
mkdir -p "${etc}"
cp -r /opt/rva/config/trino/. "${etc}/"
cat >> "${etc}/config.properties" <<'END'
http-server.http.port=8080
discovery.uri=http://localhost:8080
END
cat > "${etc}/node.properties" <<'END'
node.environment=compose
node.id=trino
node.data-dir=/data/trino
END
printf '%s\n' "-Xmx${RVA_MEMORY_TRINO_HEAP}m" -Duser.timezone=UTC >> "${etc}/jvm.config"
exec /usr/lib/trino/bin/launcher run --etc-dir "${etc}"
