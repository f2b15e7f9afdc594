-- Rows of the quarantine, oldest first.
-- Grain: one row a quarantined message or detection. Source: silver_quarantine. Reads only.
-- Values: reason, store, camera, first time and message id wanted; null: any.
--   Then how many rows at most.
SELECT
  q.message_id,
  q.reason,
  q.detail,
  q.payload,
  q.ingest_ts,
  q.replayed_ts,
  q.store_id,
  q.camera_id,
  q.run_id
FROM silver_quarantine AS q
CROSS JOIN (VALUES (
  CAST(? AS VARCHAR), CAST(? AS VARCHAR), CAST(? AS VARCHAR),
  CAST(? AS TIMESTAMP(6) WITH TIME ZONE), CAST(? AS VARBINARY)
)) AS wanted (reason, store_id, camera_id, since_ts, message_id)
WHERE (wanted.reason IS NULL OR q.reason = wanted.reason)
  AND (wanted.store_id IS NULL OR q.store_id = wanted.store_id)
  AND (wanted.camera_id IS NULL OR q.camera_id = wanted.camera_id)
  AND (wanted.since_ts IS NULL OR q.ingest_ts >= wanted.since_ts)
  AND (wanted.message_id IS NULL OR q.message_id = wanted.message_id)
ORDER BY q.ingest_ts, q.message_id, q.reason, q.detail
LIMIT ?
