-- Check: a rebuilt day counts in each hour of a camera what Silver has: detections = person rows = hits.
-- Severity: fail. Something has changed Gold since its audit; `make backfill DAY=…` puts it right.
-- Grain: one row; a violation is an hour of a camera. Nothing is checked where the day was never
--   rebuilt, or Silver has other rows by now: the next night rebuilds it then (changed_days.sql).
-- Key: (store_id, camera_id, hour).
-- Source: silver_detection, gold_people_per_minute, gold_zone_heatmap, gold_backfill. Values: :day
--   (2026-11-24). Counted for the comparison is the day and an hour either side, as in
--   silver_rows.sql.
-- Nothing is checked of a day before :kept_since, the first that all of these tables have whole.
-- Idempotent: reads only.
WITH
silver AS (
  SELECT store_id, camera_id, date_trunc('hour', capture_ts) AS ts_hour, count(*) AS detections
  FROM silver_detection
  WHERE class_name = 'person'
    AND capture_ts >= with_timezone(CAST(:day AS timestamp(6)) - INTERVAL '1' HOUR, 'UTC')
    AND capture_ts < with_timezone(CAST(:day AS timestamp(6)) + INTERVAL '25' HOUR, 'UTC')
  GROUP BY store_id, camera_id, date_trunc('hour', capture_ts)
),
rebuilt AS (
  SELECT max_by(silver_rows, published_ts) AS silver_rows
  FROM gold_backfill
  WHERE day = CAST(:day AS date)
),
present AS (
  SELECT coalesce(sum(detections), 0) AS silver_rows
  FROM silver
),
hours AS (
  SELECT
    store_id, camera_id, ts_hour,
    sum(of_silver) AS of_silver, sum(of_minutes) AS of_minutes, sum(of_heatmap) AS of_heatmap
  FROM (
    SELECT
      store_id, camera_id, ts_hour, detections AS of_silver, 0 AS of_minutes, 0 AS of_heatmap
    FROM silver
    WHERE ts_hour >= with_timezone(CAST(:day AS timestamp(6)), 'UTC')
      AND ts_hour < with_timezone(CAST(:day AS timestamp(6)) + INTERVAL '1' DAY, 'UTC')
    UNION ALL
    SELECT store_id, camera_id, date_trunc('hour', ts_minute), 0, detections, 0
    FROM gold_people_per_minute
    WHERE ts_minute >= with_timezone(CAST(:day AS timestamp(6)), 'UTC')
      AND ts_minute < with_timezone(CAST(:day AS timestamp(6)) + INTERVAL '1' DAY, 'UTC')
    UNION ALL
    SELECT store_id, camera_id, ts_hour, 0, 0, hits
    FROM gold_zone_heatmap
    WHERE ts_hour >= with_timezone(CAST(:day AS timestamp(6)), 'UTC')
      AND ts_hour < with_timezone(CAST(:day AS timestamp(6)) + INTERVAL '1' DAY, 'UTC')
  )
  GROUP BY store_id, camera_id, ts_hour
),
judged AS (
  SELECT hours.*, NOT (of_silver = of_minutes AND of_silver = of_heatmap) AS differs
  FROM hours
  CROSS JOIN rebuilt
  CROSS JOIN present
  WHERE rebuilt.silver_rows = present.silver_rows
    AND :day >= :kept_since
)
SELECT
  count_if(differs) AS violations,
  count(*) AS checked,
  min_by(
    store_id || '/' || camera_id || ' ' || CAST(ts_hour AS varchar) || ': '
      || CAST(of_silver AS varchar) || ' person rows, ' || CAST(of_minutes AS varchar)
      || ' detections, ' || CAST(of_heatmap AS varchar) || ' hits',
    ts_hour
  ) FILTER (WHERE differs) AS example
FROM judged
