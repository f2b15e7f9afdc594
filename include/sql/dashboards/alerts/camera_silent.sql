-- Grain: one row a camera that sent in the looked-at time: by how much its newest frame is older than
-- the newest of its store. Key: store_id, camera_id. Source: bronze_raw, by ingest_ts. Reads only.
-- Where all cameras of a store are silent the store is closed, which is no fault.
-- Limit: silent_seconds = 300. A camera that has lost its connection is back within seconds.
SELECT
  store_id,
  camera_id,
  date_diff(
    'second', MAX(ingest_ts), MAX(MAX(ingest_ts)) OVER (PARTITION BY store_id)
  ) AS silent_seconds
FROM lakehouse.rva.bronze_raw
WHERE
  ingest_ts BETWEEN with_timezone($__timeFrom(), 'UTC') AND with_timezone($__timeTo(), 'UTC')
  AND store_id IS NOT NULL
  AND camera_id IS NOT NULL
GROUP BY store_id, camera_id
ORDER BY store_id, camera_id
