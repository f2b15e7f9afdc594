#!/bin/bash
# Makes what the servers start without: the warehouse's bucket in MinIO; tenant and namespace in
# Pulsar with the policies of the local stack (deduplication on, messages kept for ever, no
# backlog refused). Run again, it changes nothing.
set -euo pipefail

bucket="${RVA_WAREHOUSE#s3://}"
bucket="${bucket%%/*}"
namespace="${RVA_NAMESPACE:-retail/metadata}"
tenant="${namespace%%/*}"
admin="${RVA_PULSAR_ADMIN_URL%/}/admin/v2"
answer_seconds=60

fail() {
  echo "error: $*" >&2
  exit 1
}

# status METHOD URL [BODY]: the HTTP status
status() {
  local body=()
  [[ $# -lt 3 ]] || body=(--header "Content-Type: application/json" --data "$3")
  curl --silent --show-error --max-time "${answer_seconds}" --output /dev/null \
    --write-out '%{http_code}' --request "$1" "${body[@]}" "$2"
}

# expect METHOD URL [BODY]: fails unless the answer is a success
expect() {
  local code
  code="$(status "$@")" || fail "$1 $2 does not answer: see docker compose logs pulsar"
  [[ ${code} == 2* ]] || fail "$1 $2 answered ${code}: see docker compose logs pulsar"
}

code="$(printf 'user = "%s:%s"\n' "${RVA_S3_ACCESS_KEY}" "${RVA_S3_SECRET_KEY}" |
  curl --config - --aws-sigv4 "aws:amz:${RVA_S3_REGION}:s3" --silent --show-error \
    --max-time "${answer_seconds}" --output /dev/null --write-out '%{http_code}' \
    --request PUT "${RVA_S3_ENDPOINT%/}/${bucket}")" ||
  fail "${RVA_S3_ENDPOINT} does not answer: see docker compose logs minio"
case "${code}" in
  200) echo "bucket ${bucket}: made" ;;
  409) echo "bucket ${bucket}: there" ;;
  403) fail "${RVA_S3_ENDPOINT} refuses the keys: set RVA_S3_ACCESS_KEY and RVA_S3_SECRET_KEY in .env to those that its volume was made with" ;;
  *) fail "making the bucket ${bucket} answered ${code}: see docker compose logs minio" ;;
esac

clusters="$(curl --silent --show-error --fail --max-time "${answer_seconds}" "${admin}/clusters")" ||
  fail "${admin} does not answer: see docker compose logs pulsar"
[[ "$(status GET "${admin}/tenants/${tenant}")" == 200 ]] ||
  expect PUT "${admin}/tenants/${tenant}" "{\"allowedClusters\": ${clusters}}"
[[ "$(status GET "${admin}/namespaces/${namespace}")" == 200 ]] ||
  expect PUT "${admin}/namespaces/${namespace}" "{\"replication_clusters\": ${clusters}}"
expect POST "${admin}/namespaces/${namespace}/deduplication" true
expect POST "${admin}/namespaces/${namespace}/retention" \
  '{"retentionTimeInMinutes": -1, "retentionSizeInMB": -1}'
expect POST "${admin}/namespaces/${namespace}/backlogQuota?backlogQuotaType=destination_storage" \
  '{"limitSize": -1, "limitTime": -1, "policy": "producer_exception"}'
echo "namespace ${namespace}: ready"
