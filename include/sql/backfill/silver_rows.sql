-- How many person detections Silver has of a UTC day and an hour either side, in the snapshot that the
-- batch read: a track or visit that crosses midnight changes both days.
-- Grain: one row. Source: silver_detection. Reads only. Values: none.
SELECT count(*) AS silver_rows
FROM silver_detection FOR VERSION AS OF ${silver_snapshot_id}
WHERE class_name = 'person'
  AND capture_ts >= ${first} - INTERVAL '1' HOUR
  AND capture_ts < ${first_not} + INTERVAL '1' HOUR
