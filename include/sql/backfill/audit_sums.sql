-- What a rebuilt UTC day says of itself, and how many person detections the Silver has that it was made of.
-- Grain: one row; auditing.py says which columns must be equal. Source: silver_detection, the four Gold
--   tables of a day, of the snapshots that the batch left. Reads only.
-- Values: none; ${first} and ${first_not} are the day's borders.
WITH
minutes AS (
  SELECT *
  FROM gold_people_per_minute FOR VERSION AS OF ${gold_people_per_minute}
  WHERE ts_minute >= ${first} AND ts_minute < ${first_not}
),
tracks AS (
  SELECT *
  FROM gold_track_summary FOR VERSION AS OF ${gold_track_summary}
  WHERE start_ts >= ${first} AND start_ts < ${first_not}
),
dwell AS (
  SELECT *
  FROM gold_zone_dwell FOR VERSION AS OF ${gold_zone_dwell}
  WHERE ts_hour >= ${first} AND ts_hour < ${first_not}
),
heatmap AS (
  SELECT *
  FROM gold_zone_heatmap FOR VERSION AS OF ${gold_zone_heatmap}
  WHERE ts_hour >= ${first} AND ts_hour < ${first_not}
),
camera_hours AS (
  SELECT store_id, camera_id, ts_hour, sum(detections) AS detections, sum(hits) AS hits
  FROM (
    SELECT store_id, camera_id, date_trunc('hour', ts_minute) AS ts_hour, detections, 0 AS hits
    FROM minutes
    UNION ALL
    SELECT store_id, camera_id, ts_hour, 0, hits
    FROM heatmap
  )
  GROUP BY store_id, camera_id, ts_hour
)
SELECT
  *
FROM
  (
    SELECT count(*) AS silver_detections
    FROM silver_detection FOR VERSION AS OF ${silver_snapshot_id}
    WHERE class_name = 'person' AND capture_ts >= ${first} AND capture_ts < ${first_not}
  ),
  (
    SELECT
      count(*) AS minute_rows,
      count(DISTINCT ROW (store_id, camera_id, ts_minute)) AS minute_keys,
      coalesce(sum(detections), 0) AS minute_detections,
      coalesce(sum(unique_people), 0) AS minute_people
    FROM minutes
  ),
  (
    SELECT
      count(*) AS heatmap_rows,
      count(DISTINCT ROW (store_id, camera_id, ts_hour, zone_x, zone_y)) AS heatmap_keys,
      coalesce(sum(hits), 0) AS heatmap_hits,
      coalesce(sum(unique_tracks), 0) AS heatmap_tracks
    FROM heatmap
  ),
  (
    SELECT count(*) AS camera_hours, count_if(detections = hits) AS camera_hours_alike
    FROM camera_hours
  ),
  (
    SELECT
      count(*) AS track_rows,
      count(DISTINCT ROW (store_id, camera_id, run_id, track_id, start_ts)) AS track_keys,
      coalesce(sum(frames), 0) AS track_frames,
      coalesce(sum(CAST(round(duration_seconds * 1000) AS bigint)), 0) AS track_ms
    FROM tracks
  ),
  (
    SELECT
      count(*) AS dwell_rows,
      count(DISTINCT ROW (store_id, camera_id, ts_hour, zone_x, zone_y)) AS dwell_keys,
      coalesce(sum(visits), 0) AS dwell_visits,
      coalesce(sum(CAST(round(total_dwell_seconds * 1000) AS bigint)), 0) AS dwell_ms,
      count_if(
        visits >= 1
        AND abs(avg_dwell_seconds * visits - total_dwell_seconds) <= 1e-6 * (1 + total_dwell_seconds)
        AND max_dwell_seconds BETWEEN avg_dwell_seconds - 1e-6 AND total_dwell_seconds + 1e-6
      ) AS dwell_that_fits
    FROM dwell
  )
