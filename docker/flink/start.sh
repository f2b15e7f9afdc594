#!/bin/bash
# start.sh jobmanager|taskmanager [-D key=value]...: joins the configuration that the local stack
# has too with that of the containers, and runs Flink in the foreground.
set -euo pipefail
role="$1"
shift
export FLINK_CONF_DIR=/tmp/flink-conf
mkdir -p "${FLINK_CONF_DIR}"
cat /opt/rva/config/flink/config.yaml /opt/rva/docker/flink/config.yaml \
  > "${FLINK_CONF_DIR}/config.yaml"
cp /opt/rva/config/flink/log4j-console.properties "${FLINK_CONF_DIR}/"
exec "${FLINK_HOME}/bin/${role}.sh" start-foreground "$@"
