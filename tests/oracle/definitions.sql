-- The definitions of Silver and Gold, computed by DuckDB from the JSONL alone.
-- Independent of the jobs: shares nothing with them but the definitions in words.
-- Expects a view `messages(store_id, camera_id, stream_id, run_id, frame_index, capture_ts,
-- width, height, detections)`, one row a line.

CREATE TABLE frame AS
SELECT DISTINCT ON (store_id, camera_id, run_id, frame_index, capture_ts) *
FROM messages;

CREATE TABLE silver_detection AS
SELECT
  store_id, camera_id, run_id, frame_index, capture_ts,
  d.det_id AS det_id, stream_id, width AS image_width, height AS image_height,
  d."class" AS class_name, CAST(d.conf AS DOUBLE) AS conf,
  CAST(d.bbox.x1 AS DOUBLE) AS x1, CAST(d.bbox.y1 AS DOUBLE) AS y1,
  CAST(d.bbox.x2 AS DOUBLE) AS x2, CAST(d.bbox.y2 AS DOUBLE) AS y2,
  CAST(d.track_id AS BIGINT) AS track_id,
  CAST(least(9, trunc((d.bbox.x1 + d.bbox.x2) / 2 / (width / 10))) AS INTEGER) AS zone_x,
  CAST(least(9, trunc((d.bbox.y1 + d.bbox.y2) / 2 / (height / 10))) AS INTEGER) AS zone_y
FROM (SELECT *, unnest(detections) AS d FROM frame);

CREATE TABLE gold_people_per_minute AS
SELECT
  store_id, camera_id, time_bucket(INTERVAL 1 MINUTE, capture_ts) AS ts_minute,
  count(*) AS detections,
  count(DISTINCT (run_id, track_id)) FILTER (track_id IS NOT NULL) AS unique_people
FROM silver_detection
WHERE class_name = 'person'
GROUP BY ALL;

CREATE TABLE gold_zone_heatmap AS
SELECT
  store_id, camera_id, time_bucket(INTERVAL 1 HOUR, capture_ts) AS ts_hour, zone_x, zone_y,
  count(*) AS hits,
  count(DISTINCT (run_id, track_id)) FILTER (track_id IS NOT NULL) AS unique_tracks
FROM silver_detection
WHERE class_name = 'person'
GROUP BY ALL;

CREATE TABLE track_piece AS
SELECT *, sum(CASE WHEN gap > INTERVAL 30 SECOND THEN 1 ELSE 0 END)
  OVER (PARTITION BY store_id, camera_id, run_id, track_id ORDER BY capture_ts) AS piece
FROM (
  SELECT *, capture_ts - lag(capture_ts)
    OVER (PARTITION BY store_id, camera_id, run_id, track_id ORDER BY capture_ts) AS gap
  FROM silver_detection
  WHERE class_name = 'person' AND track_id IS NOT NULL
);

CREATE TABLE gold_track_summary AS
SELECT
  store_id, camera_id, run_id, track_id,
  min(capture_ts) AS start_ts, max(capture_ts) AS end_ts, count(*) AS frames,
  epoch_ms(max(capture_ts) - min(capture_ts)) / 1000 AS duration_seconds,
  min((x1 + x2) / 2) AS min_x, max((x1 + x2) / 2) AS max_x,
  max((x1 + x2) / 2) - min((x1 + x2) / 2) AS delta_x,
  min((y1 + y2) / 2) AS min_y, max((y1 + y2) / 2) AS max_y,
  max((y1 + y2) / 2) - min((y1 + y2) / 2) AS delta_y,
  avg((x1 + x2) / 2) AS avg_x, avg((y1 + y2) / 2) AS avg_y, avg(conf) AS avg_conf
FROM track_piece
GROUP BY store_id, camera_id, run_id, track_id, piece;

CREATE TABLE visit AS
SELECT
  store_id, camera_id, zone_x, zone_y, min(capture_ts) AS start_ts,
  epoch_ms(max(capture_ts) - min(capture_ts)) / 1000 AS dwell_seconds
FROM (
  SELECT *, sum(CASE WHEN gap > INTERVAL 2 SECOND THEN 1 ELSE 0 END) OVER (
    PARTITION BY store_id, camera_id, run_id, track_id, zone_x, zone_y ORDER BY capture_ts
  ) AS piece
  FROM (
    SELECT *, capture_ts - lag(capture_ts) OVER (
      PARTITION BY store_id, camera_id, run_id, track_id, zone_x, zone_y ORDER BY capture_ts
    ) AS gap
    FROM silver_detection
    WHERE class_name = 'person' AND track_id IS NOT NULL
  )
)
GROUP BY store_id, camera_id, run_id, track_id, zone_x, zone_y, piece;

CREATE TABLE gold_zone_dwell AS
SELECT
  store_id, camera_id, time_bucket(INTERVAL 1 HOUR, start_ts) AS ts_hour, zone_x, zone_y,
  count(*) AS visits, sum(dwell_seconds) AS total_dwell_seconds,
  avg(dwell_seconds) AS avg_dwell_seconds, max(dwell_seconds) AS max_dwell_seconds
FROM visit
GROUP BY store_id, camera_id, ts_hour, zone_x, zone_y;
