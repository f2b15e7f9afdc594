-- Check: counts, shares, spans and cells of Gold are such as can be.
-- Severity: fail. No job writes such a row from Silver; `make backfill DAY=…` replaces it.
-- Grain: one row; a violation is a row of Gold. How visits and their dwell fit each other, the
--   nightly audit compares (audit_sums.sql).
-- Key: that of each table (docs/tables.md).
-- Source: the four Gold tables of a day, by their times. Values: :day (2026-11-24).
-- NOT (…) and not its opposite, so that what is no number is found too.
-- Idempotent: reads only.
SELECT
  count_if(is_wrong) AS violations,
  count(*) AS checked,
  min_by(gold || ': ' || store_id || '/' || camera_id || ' ' || CAST(ts AS varchar), ts)
    FILTER (WHERE is_wrong) AS example
FROM (
  SELECT
    'gold_people_per_minute' AS gold, store_id, camera_id, ts_minute AS ts,
    NOT (
      detections >= 1
      AND unique_people BETWEEN 0 AND detections
      AND ts_minute = date_trunc('minute', ts_minute)
    ) AS is_wrong
  FROM gold_people_per_minute
  WHERE ts_minute >= with_timezone(CAST(:day AS timestamp(6)), 'UTC')
    AND ts_minute < with_timezone(CAST(:day AS timestamp(6)) + INTERVAL '1' DAY, 'UTC')
  UNION ALL
  SELECT
    'gold_track_summary' AS gold, store_id, camera_id, start_ts AS ts,
    NOT (
      frames >= 1
      AND end_ts >= start_ts
      AND abs(duration_seconds * 1000 - date_diff('millisecond', start_ts, end_ts)) < 1
      AND avg_x BETWEEN min_x - 1e-6 AND max_x + 1e-6
      AND avg_y BETWEEN min_y - 1e-6 AND max_y + 1e-6
      AND avg_conf BETWEEN 0 AND 1 + 1e-9
    ) AS is_wrong
  FROM gold_track_summary
  WHERE start_ts >= with_timezone(CAST(:day AS timestamp(6)), 'UTC')
    AND start_ts < with_timezone(CAST(:day AS timestamp(6)) + INTERVAL '1' DAY, 'UTC')
  UNION ALL
  SELECT
    'gold_zone_dwell' AS gold, store_id, camera_id, ts_hour AS ts,
    NOT (
      zone_x BETWEEN 0 AND 9
      AND zone_y BETWEEN 0 AND 9
      AND visits >= 1
      AND total_dwell_seconds >= 0
      AND ts_hour = date_trunc('hour', ts_hour)
    ) AS is_wrong
  FROM gold_zone_dwell
  WHERE ts_hour >= with_timezone(CAST(:day AS timestamp(6)), 'UTC')
    AND ts_hour < with_timezone(CAST(:day AS timestamp(6)) + INTERVAL '1' DAY, 'UTC')
  UNION ALL
  SELECT
    'gold_zone_heatmap' AS gold, store_id, camera_id, ts_hour AS ts,
    NOT (
      zone_x BETWEEN 0 AND 9
      AND zone_y BETWEEN 0 AND 9
      AND hits >= 1
      AND unique_tracks BETWEEN 0 AND hits
      AND ts_hour = date_trunc('hour', ts_hour)
    ) AS is_wrong
  FROM gold_zone_heatmap
  WHERE ts_hour >= with_timezone(CAST(:day AS timestamp(6)), 'UTC')
    AND ts_hour < with_timezone(CAST(:day AS timestamp(6)) + INTERVAL '1' DAY, 'UTC')
)
