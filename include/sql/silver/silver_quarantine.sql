-- Grain: one row a message or detection that could not be used. Source: bronze_raw.
-- Idempotent: keep-first on the key (parsed_once.sql).
-- replayed_ts is left to `python -m lakehouse quarantine replay`.
SELECT
  store_id,
  camera_id,
  reason,
  detail,
  bad_payload AS payload,
  ingest_ts,
  run_id,
  message_id
FROM silver_quarantine_once
