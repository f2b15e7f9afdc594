-- Grain: one row a camera of which a message came in the chosen time, the longest silent first: how
-- long before the end of that time the newest did. Key: camera. Source: bronze_raw, by ingest_ts.
-- Reads only.
-- Limit: silent_seconds as in dashboards/alerts/camera_silent.sql.
SELECT
  store_id || '/' || camera_id AS camera,
  date_diff('second', MAX(ingest_ts), with_timezone($__timeTo(), 'UTC')) AS silent_seconds,
  MAX(ingest_ts) AS newest_ts
FROM lakehouse.rva.bronze_raw
WHERE
  ingest_ts BETWEEN with_timezone($__timeFrom(), 'UTC') AND with_timezone($__timeTo(), 'UTC')
  AND store_id IS NOT NULL
  AND camera_id IS NOT NULL
  AND ('__all' IN ($store) OR store_id IN ($store))
  AND ('__all' IN ($camera) OR camera_id IN ($camera))
GROUP BY store_id, camera_id
ORDER BY silent_seconds DESC, camera
