-- gold_people_per_minute by Trino. Grain: a camera's minute. Source: silver_detection.
SELECT
  store_id, camera_id, date_trunc('minute', capture_ts) AS ts_minute,
  count(*) AS detections,
  count(DISTINCT concat(run_id, '/', CAST(track_id AS varchar))) AS unique_people
FROM silver_detection
WHERE class_name = 'person'
GROUP BY 1, 2, 3
