-- Rows of Gold that are not compared: on days that no batch has closed, streaming Gold has not
-- shown them yet (open), or late events touched them (late), so that the stream may differ until
-- the batch. Grain and key: those of each Gold table. Source: expected and actual Gold, closed_day.
-- Settings: watermark, the time that streaming Gold has passed; null: none. A batch on an open day
-- may have put a row there that is still open: it is left out too.
-- Idempotent: made in a database of its own.
CREATE MACRO is_open(closes_at) AS
  coalesce(getvariable('watermark') < closes_at - INTERVAL 1 MILLISECOND, TRUE);

CREATE MACRO on_open_day(start_ts) AS
  CAST(start_ts AS DATE) NOT IN (SELECT day FROM closed_day);

CREATE TABLE left_out_gold_people_per_minute AS
SELECT store_id, camera_id, ts_minute, max(why) AS why
FROM (
  SELECT store_id, camera_id, ts_minute, CASE WHEN is_open(closes_at) THEN 'open' ELSE 'late' END AS why
  FROM gold_people_per_minute
  WHERE is_open(closes_at) OR late
  UNION ALL
  SELECT store_id, camera_id, ts_minute, 'open'
  FROM actual_gold_people_per_minute
  WHERE is_open(ts_minute + INTERVAL 1 MINUTE)
)
WHERE on_open_day(ts_minute)
GROUP BY store_id, camera_id, ts_minute;

CREATE TABLE left_out_gold_zone_heatmap AS
SELECT store_id, camera_id, ts_hour, zone_x, zone_y, max(why) AS why
FROM (
  SELECT
    store_id, camera_id, ts_hour, zone_x, zone_y,
    CASE WHEN is_open(closes_at) THEN 'open' ELSE 'late' END AS why
  FROM gold_zone_heatmap
  WHERE is_open(closes_at) OR late
  UNION ALL
  SELECT store_id, camera_id, ts_hour, zone_x, zone_y, 'open'
  FROM actual_gold_zone_heatmap
  WHERE is_open(ts_hour + INTERVAL 1 HOUR)
)
WHERE on_open_day(ts_hour)
GROUP BY store_id, camera_id, ts_hour, zone_x, zone_y;

-- a visit that a late event cut in two may have put its second half into a later hour
CREATE TABLE left_out_gold_zone_dwell AS
SELECT store_id, camera_id, ts_hour, zone_x, zone_y, max(why) AS why
FROM (
  SELECT
    store_id, camera_id, ts_hour, zone_x, zone_y,
    CASE WHEN is_open(closes_at) THEN 'open' ELSE 'late' END AS why
  FROM gold_zone_dwell
  WHERE is_open(closes_at) OR late
  UNION ALL
  SELECT
    store_id, camera_id,
    unnest(
      generate_series(
        time_bucket(INTERVAL 1 HOUR, start_ts), time_bucket(INTERVAL 1 HOUR, end_ts), INTERVAL 1 HOUR
      )
    ) AS ts_hour,
    zone_x, zone_y, 'late'
  FROM visit
  WHERE late
  UNION ALL
  SELECT store_id, camera_id, ts_hour, zone_x, zone_y, 'open'
  FROM actual_gold_zone_dwell
  WHERE is_open(ts_hour + INTERVAL 1 HOUR)
)
WHERE on_open_day(ts_hour)
GROUP BY store_id, camera_id, ts_hour, zone_x, zone_y;

-- a track that a late event cut in two shows its second half under another start
CREATE TABLE left_out_gold_track_summary AS
WITH uncertain AS (
  SELECT
    store_id, camera_id, run_id, track_id, start_ts, end_ts,
    CASE WHEN is_open(closes_at) THEN 'open' ELSE 'late' END AS why
  FROM gold_track_summary
  WHERE is_open(closes_at) OR late
)
SELECT store_id, camera_id, run_id, track_id, start_ts, max(why) AS why
FROM (
  SELECT store_id, camera_id, run_id, track_id, start_ts, why
  FROM uncertain
  UNION ALL
  SELECT store_id, camera_id, run_id, track_id, shown.start_ts, why
  FROM actual_gold_track_summary AS shown
  JOIN uncertain USING (store_id, camera_id, run_id, track_id)
  WHERE shown.start_ts BETWEEN uncertain.start_ts AND uncertain.end_ts
)
WHERE on_open_day(start_ts)
GROUP BY store_id, camera_id, run_id, track_id, start_ts;
