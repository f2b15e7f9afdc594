-- Expected gold_people_per_minute. Grain: a camera's minute. Key: store_id, camera_id, ts_minute.
-- Source: person_detection. Idempotent: made in a database of its own.
-- Not columns of the table: closes_at, which the watermark must pass before streaming Gold shows
-- the row; late, whether a detection came after that.
CREATE TABLE gold_people_per_minute AS
SELECT
  store_id, camera_id, time_bucket(INTERVAL 1 MINUTE, capture_ts) AS ts_minute,
  count(*) AS detections,
  count(DISTINCT (run_id, track_id)) FILTER (track_id IS NOT NULL) AS unique_people,
  time_bucket(INTERVAL 1 MINUTE, capture_ts) + INTERVAL 1 MINUTE AS closes_at,
  coalesce(bool_or(watermark >= closes_at - INTERVAL 1 MILLISECOND), FALSE) AS late
FROM person_detection
GROUP BY store_id, camera_id, ts_minute, closes_at;
