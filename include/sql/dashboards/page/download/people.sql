-- Grain: the table's, all its columns. Key: ts_minute.
-- Source: gold_people_per_minute. Values: :store, :camera, :begin, :end (UTC, end excluded). Reads only.
SELECT
  store_id,
  camera_id,
  ts_minute,
  detections,
  unique_people
FROM lakehouse.{database}.gold_people_per_minute
WHERE store_id = :store
  AND camera_id = :camera
  AND ts_minute >= with_timezone(CAST(:begin AS timestamp(6)), 'UTC')
  AND ts_minute < with_timezone(CAST(:end AS timestamp(6)), 'UTC')
ORDER BY ts_minute
