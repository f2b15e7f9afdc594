-- Messages that have rows in quarantine, oldest first.
-- Grain: one row a message. Source: silver_quarantine. Reads only.
-- Values: reason, store, camera, first time and message id wanted; null: any.
--   Then whether messages of which every row has been replayed are wanted too.
SELECT q.message_id, min(q.ingest_ts) AS first_ts
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
  AND q.message_id IS NOT NULL
  AND (? OR q.replayed_ts IS NULL)
GROUP BY q.message_id
ORDER BY first_ts, q.message_id
