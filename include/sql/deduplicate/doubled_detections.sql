-- How many rows of a day Silver has beyond one for each detection, and for how many detections.
-- Grain: one row. Key of a detection: as in silver_detection. Reads only.
-- Values: first and first-not capture_ts of the day.
SELECT
  count(*) AS detections,
  coalesce(sum(number - 1), 0) AS surplus
FROM (
  SELECT count(*) AS number
  FROM silver_detection
  WHERE capture_ts >= ? AND capture_ts < ?
  GROUP BY store_id, camera_id, run_id, frame_index, capture_ts, det_id
  HAVING count(*) > 1
)
