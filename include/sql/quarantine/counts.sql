-- How much is in quarantine, and how much of it has been replayed.
-- Grain: one row a reason, store and camera. Source: silver_quarantine. Reads only.
-- Values: reason, store, camera, first time and message id wanted; null: any.
SELECT
  q.reason,
  q.store_id,
  q.camera_id,
  count(*) AS quarantined,
  count(DISTINCT q.message_id) AS messages,
  count(*) - count(q.replayed_ts) AS not_replayed,
  min(q.ingest_ts) AS first_ts,
  max(q.ingest_ts) AS last_ts
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
GROUP BY q.reason, q.store_id, q.camera_id
ORDER BY not_replayed DESC, quarantined DESC, q.reason, q.store_id, q.camera_id
