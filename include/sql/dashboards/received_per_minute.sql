-- Grain: one row a layer and minute of receipt in which something came. Key: time, layer. Source:
-- bronze_raw, silver_detection, silver_quarantine, whose ingest_ts is Bronze's. Reads only.
SELECT
  date_trunc('minute', ingest_ts) AS time,
  layer,
  COUNT(*) AS arrived
FROM (
  SELECT 'Bronze: messages' AS layer, store_id, camera_id, ingest_ts
  FROM lakehouse.rva.bronze_raw
  UNION ALL
  SELECT 'Silver: detections' AS layer, store_id, camera_id, ingest_ts
  FROM lakehouse.rva.silver_detection
  UNION ALL
  SELECT 'Silver: quarantined' AS layer, store_id, camera_id, ingest_ts
  FROM lakehouse.rva.silver_quarantine
)
WHERE
  ingest_ts BETWEEN with_timezone($__timeFrom(), 'UTC') AND with_timezone($__timeTo(), 'UTC')
  AND ('__all' IN ($store) OR store_id IN ($store))
  AND ('__all' IN ($camera) OR camera_id IN ($camera))
GROUP BY date_trunc('minute', ingest_ts), layer
ORDER BY time, layer
