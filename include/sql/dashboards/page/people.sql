-- Grain: one row a minute with people. Key: minute (epoch seconds).
-- Source: gold_people_per_minute. Values: :store, :camera, :begin, :end (UTC, end excluded).
-- Reads only.
SELECT
  CAST(to_unixtime(ts_minute) AS bigint) AS minute,
  unique_people,
  detections
FROM lakehouse.{database}.gold_people_per_minute
WHERE store_id = :store
  AND camera_id = :camera
  AND ts_minute >= with_timezone(CAST(:begin AS timestamp(6)), 'UTC')
  AND ts_minute < with_timezone(CAST(:end AS timestamp(6)), 'UTC')
ORDER BY minute
