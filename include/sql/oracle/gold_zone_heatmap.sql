-- Expected gold_zone_heatmap. Grain: a grid cell of a camera in an hour.
-- Key: store_id, camera_id, ts_hour, zone_x, zone_y. Source: person_detection.
-- Idempotent: made in a database of its own. closes_at, late: as in gold_people_per_minute.sql.
CREATE TABLE gold_zone_heatmap AS
SELECT
  store_id, camera_id, time_bucket(INTERVAL 1 HOUR, capture_ts) AS ts_hour, zone_x, zone_y,
  count(*) AS hits,
  count(DISTINCT (run_id, track_id)) FILTER (track_id IS NOT NULL) AS unique_tracks,
  time_bucket(INTERVAL 1 HOUR, capture_ts) + INTERVAL 1 HOUR AS closes_at,
  coalesce(bool_or(watermark >= closes_at - INTERVAL 1 MILLISECOND), FALSE) AS late
FROM person_detection
GROUP BY store_id, camera_id, ts_hour, closes_at, zone_x, zone_y;
