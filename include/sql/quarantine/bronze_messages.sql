-- The messages themselves.
-- Grain: one row a message received. Key: message_id. Source: bronze_raw. Reads only.
-- Values: message ids as an array; first and last ingest_ts, so that only the days'
--   partitions are read.
SELECT message_id, payload, store_id, camera_id, stream_id, run_id, frame_index, capture_ts
FROM bronze_raw
WHERE message_id IN (SELECT id FROM UNNEST(?) AS t (id))
  AND ingest_ts BETWEEN ? AND ?
