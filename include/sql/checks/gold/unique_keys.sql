-- Check: every row of Gold stands there once.
-- Severity: fail. Whoever sums Gold counts such a key again; `make backfill DAY=…` puts it right.
-- Grain: one row; a violation is a row beyond the first of its key.
-- Key: that of each table (docs/tables.md).
-- Source: the tables of Gold, by their times; gold_backfill, by the day. Values: :day (2026-11-24).
-- Idempotent: reads only.
SELECT
  coalesce(sum(number - 1), 0) AS violations,
  coalesce(sum(number), 0) AS checked,
  max_by(gold || ': ' || key_text || ': ' || CAST(number AS varchar) || ' rows', number)
    FILTER (WHERE number > 1) AS example
FROM (
  SELECT
    'gold_people_per_minute' AS gold,
    store_id || '/' || camera_id || ' ' || CAST(ts_minute AS varchar) AS key_text,
    count(*) AS number
  FROM gold_people_per_minute
  WHERE ts_minute >= with_timezone(CAST(:day AS timestamp(6)), 'UTC')
    AND ts_minute < with_timezone(CAST(:day AS timestamp(6)) + INTERVAL '1' DAY, 'UTC')
  GROUP BY store_id, camera_id, ts_minute
  UNION ALL
  SELECT
    'gold_track_summary' AS gold,
    store_id || '/' || camera_id || ' ' || run_id || ' track ' || CAST(track_id AS varchar) AS key_text,
    count(*) AS number
  FROM gold_track_summary
  WHERE start_ts >= with_timezone(CAST(:day AS timestamp(6)), 'UTC')
    AND start_ts < with_timezone(CAST(:day AS timestamp(6)) + INTERVAL '1' DAY, 'UTC')
  GROUP BY store_id, camera_id, run_id, track_id, start_ts
  UNION ALL
  SELECT
    'gold_zone_dwell' AS gold,
    store_id || '/' || camera_id || ' ' || CAST(ts_hour AS varchar)
      || ' zone ' || CAST(zone_x AS varchar) || ', ' || CAST(zone_y AS varchar) AS key_text,
    count(*) AS number
  FROM gold_zone_dwell
  WHERE ts_hour >= with_timezone(CAST(:day AS timestamp(6)), 'UTC')
    AND ts_hour < with_timezone(CAST(:day AS timestamp(6)) + INTERVAL '1' DAY, 'UTC')
  GROUP BY store_id, camera_id, ts_hour, zone_x, zone_y
  UNION ALL
  SELECT
    'gold_zone_heatmap' AS gold,
    store_id || '/' || camera_id || ' ' || CAST(ts_hour AS varchar)
      || ' zone ' || CAST(zone_x AS varchar) || ', ' || CAST(zone_y AS varchar) AS key_text,
    count(*) AS number
  FROM gold_zone_heatmap
  WHERE ts_hour >= with_timezone(CAST(:day AS timestamp(6)), 'UTC')
    AND ts_hour < with_timezone(CAST(:day AS timestamp(6)) + INTERVAL '1' DAY, 'UTC')
  GROUP BY store_id, camera_id, ts_hour, zone_x, zone_y
  UNION ALL
  SELECT
    'gold_late_events' AS gold,
    store_id || '/' || camera_id || ' ' || CAST(ts_hour AS varchar) || ' ' || gold_table AS key_text,
    count(*) AS number
  FROM gold_late_events
  WHERE ts_hour >= with_timezone(CAST(:day AS timestamp(6)), 'UTC')
    AND ts_hour < with_timezone(CAST(:day AS timestamp(6)) + INTERVAL '1' DAY, 'UTC')
  GROUP BY store_id, camera_id, ts_hour, gold_table
  UNION ALL
  SELECT
    'gold_backfill' AS gold,
    gold_table || ' published ' || CAST(published_ts AS varchar) AS key_text,
    count(*) AS number
  FROM gold_backfill
  WHERE day = CAST(:day AS date)
  GROUP BY day, gold_table, published_ts
)
