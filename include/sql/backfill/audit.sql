-- What must hold of a rebuilt UTC day before it is published: of the snapshots that the batch left,
-- against the Silver that it read.
-- Grain: one row an identity, in order; left and right must be equal. Source: silver_detection, the four Gold
--   tables of a day. Reads only. Values: none; ${first} and ${first_not} are the day's borders.
WITH
silver AS (
  SELECT
    store_id, camera_id, run_id, track_id, zone_x, zone_y, capture_ts,
    date_trunc('minute', capture_ts) AS ts_minute,
    date_trunc('hour', capture_ts) AS ts_hour
  FROM silver_detection FOR VERSION AS OF ${silver_snapshot_id}
  WHERE class_name = 'person' AND capture_ts >= ${first} AND capture_ts < ${first_not}
),
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
tracked AS (
  SELECT store_id, camera_id, run_id, track_id, zone_x, zone_y, capture_ts
  FROM silver_detection FOR VERSION AS OF ${silver_snapshot_id}
  WHERE class_name = 'person'
    AND track_id IS NOT NULL
    AND capture_ts >= ${first} - INTERVAL '${track_gap_seconds}' SECOND
    AND capture_ts < ${first_not} + INTERVAL '1' DAY
),
track_rows AS (
  SELECT *, sum(is_first) OVER (
    PARTITION BY store_id, camera_id, run_id, track_id ORDER BY capture_ts
  ) AS number
  FROM (
    SELECT
      *,
      CASE
        WHEN capture_ts - lag(capture_ts) OVER (
          PARTITION BY store_id, camera_id, run_id, track_id ORDER BY capture_ts
        ) <= INTERVAL '${track_gap_seconds}' SECOND THEN 0
        ELSE 1
      END AS is_first
    FROM tracked
  )
),
silver_tracks AS (
  SELECT min(capture_ts) AS start_ts, max(capture_ts) AS end_ts, count(*) AS frames
  FROM track_rows
  GROUP BY store_id, camera_id, run_id, track_id, number
  HAVING min(capture_ts) >= ${first} AND min(capture_ts) < ${first_not}
),
visit_rows AS (
  SELECT *, sum(is_first) OVER (
    PARTITION BY store_id, camera_id, run_id, track_id, zone_x, zone_y ORDER BY capture_ts
  ) AS number
  FROM (
    SELECT
      *,
      CASE
        WHEN capture_ts - lag(capture_ts) OVER (
          PARTITION BY store_id, camera_id, run_id, track_id, zone_x, zone_y ORDER BY capture_ts
        ) <= INTERVAL '${visit_gap_seconds}' SECOND THEN 0
        ELSE 1
      END AS is_first
    FROM tracked
  )
),
silver_visits AS (
  SELECT min(capture_ts) AS start_ts, max(capture_ts) AS end_ts
  FROM visit_rows
  GROUP BY store_id, camera_id, run_id, track_id, zone_x, zone_y, number
  HAVING min(capture_ts) >= ${first} AND min(capture_ts) < ${first_not}
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
  1 AS place,
  'detections in people per minute' AS left_is,
  (SELECT coalesce(sum(detections), 0) FROM minutes) AS left_number,
  'person detections of Silver' AS right_is,
  (SELECT count(*) FROM silver) AS right_number
UNION ALL
SELECT
  2,
  'hits in the zone heatmap',
  (SELECT coalesce(sum(hits), 0) FROM heatmap),
  'person detections of Silver',
  (SELECT count(*) FROM silver)
UNION ALL
SELECT
  3,
  'camera hours in which people per minute and heatmap agree',
  (SELECT count_if(detections = hits) FROM camera_hours),
  'camera hours',
  (SELECT count(*) FROM camera_hours)
UNION ALL
SELECT
  4,
  'unique people, summed over the minutes',
  (SELECT coalesce(sum(unique_people), 0) FROM minutes),
  'tracks of Silver, counted in each minute',
  (
    SELECT count(*)
    FROM (SELECT DISTINCT store_id, camera_id, ts_minute, run_id, track_id FROM silver)
    WHERE track_id IS NOT NULL
  )
UNION ALL
SELECT
  5,
  'unique tracks, summed over the heatmap',
  (SELECT coalesce(sum(unique_tracks), 0) FROM heatmap),
  'tracks of Silver, counted in each cell and hour',
  (
    SELECT count(*)
    FROM (
      SELECT DISTINCT store_id, camera_id, ts_hour, zone_x, zone_y, run_id, track_id FROM silver
    )
    WHERE track_id IS NOT NULL
  )
UNION ALL
SELECT
  6,
  'tracks in the track summary',
  (SELECT count(*) FROM tracks),
  'tracks of Silver that start in the day',
  (SELECT count(*) FROM silver_tracks)
UNION ALL
SELECT
  7,
  'frames in the track summary',
  (SELECT coalesce(sum(frames), 0) FROM tracks),
  'detections of those tracks',
  (SELECT coalesce(sum(frames), 0) FROM silver_tracks)
UNION ALL
SELECT
  8,
  'milliseconds in the track summary',
  (SELECT coalesce(sum(CAST(round(duration_seconds * 1000) AS bigint)), 0) FROM tracks),
  'milliseconds of those tracks',
  (SELECT coalesce(sum(date_diff('millisecond', start_ts, end_ts)), 0) FROM silver_tracks)
UNION ALL
SELECT
  9,
  'visits in zone dwell',
  (SELECT coalesce(sum(visits), 0) FROM dwell),
  'visits of Silver that start in the day',
  (SELECT count(*) FROM silver_visits)
UNION ALL
SELECT
  10,
  'milliseconds in zone dwell',
  (SELECT coalesce(sum(CAST(round(total_dwell_seconds * 1000) AS bigint)), 0) FROM dwell),
  'milliseconds of those visits',
  (SELECT coalesce(sum(date_diff('millisecond', start_ts, end_ts)), 0) FROM silver_visits)
UNION ALL
SELECT
  11,
  'cells of zone dwell whose visits, total, average and longest fit',
  (
    SELECT
      count_if(
        visits >= 1
        AND abs(avg_dwell_seconds * visits - total_dwell_seconds) <= 1e-6 * (1 + total_dwell_seconds)
        AND max_dwell_seconds BETWEEN avg_dwell_seconds - 1e-6 AND total_dwell_seconds + 1e-6
      )
    FROM dwell
  ),
  'cells of zone dwell',
  (SELECT count(*) FROM dwell)
UNION ALL
SELECT
  12,
  'keys of people per minute',
  (SELECT count(*) FROM (SELECT DISTINCT store_id, camera_id, ts_minute FROM minutes)),
  'its rows',
  (SELECT count(*) FROM minutes)
UNION ALL
SELECT
  13,
  'keys of the track summary',
  (
    SELECT count(*)
    FROM (SELECT DISTINCT store_id, camera_id, run_id, track_id, start_ts FROM tracks)
  ),
  'its rows',
  (SELECT count(*) FROM tracks)
UNION ALL
SELECT
  14,
  'keys of zone dwell',
  (SELECT count(*) FROM (SELECT DISTINCT store_id, camera_id, ts_hour, zone_x, zone_y FROM dwell)),
  'its rows',
  (SELECT count(*) FROM dwell)
UNION ALL
SELECT
  15,
  'keys of the zone heatmap',
  (
    SELECT count(*)
    FROM (SELECT DISTINCT store_id, camera_id, ts_hour, zone_x, zone_y FROM heatmap)
  ),
  'its rows',
  (SELECT count(*) FROM heatmap)
ORDER BY place
