#!/bin/bash
# Makes the database, the pools and the sample video, then runs every part of Airflow in one
# container. Run again, it makes what is missing.
set -euo pipefail
airflow db migrate
airflow pools import /opt/rva/docker/airflow/pools.json
"${RVA_VISION_PYTHON}" -m vision sample --output "${RVA_DATA_DIR}/sample/sample.mp4" ||
  echo "no sample video could be composed: give the DAG a video of your own" >&2
exec airflow standalone
