-- gold_zone_heatmap by Trino. Grain: a cell's hour. Source: silver_detection.
SELECT
  store_id, camera_id, date_trunc('hour', capture_ts) AS ts_hour, zone_x, zone_y,
  count(*) AS hits,
  count(DISTINCT concat(run_id, '/', CAST(track_id AS varchar))) AS unique_tracks
FROM silver_detection
WHERE class_name = 'person'
GROUP BY 1, 2, 3, 4, 5
