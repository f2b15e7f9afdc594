-- Grain: one row a message or detection that could not be used. Source: bronze_raw.
-- Idempotent: keep-first on the key (new_rejections.sql).
-- replayed_ts is left to `python -m lakehouse quarantine replay`.
SELECT
  store_id,
  camera_id,
  reason,
  detail,
  payload,
  ingest_ts,
  run_id,
  message_id
FROM new_rejections
