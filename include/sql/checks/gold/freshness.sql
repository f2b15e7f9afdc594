-- Check: Gold keeps up with the person detections that Silver has of the day.
-- Severity: warn. The stream is down or lags, or waits for a later frame that passes the window.
-- Limit: :late_seconds = 600. A minute, the lateness, and a replay that is faster than time.
-- Grain: one row; there is one violation or none.
-- Key: none.
-- Source: silver_detection, gold_people_per_minute. Values: :day (2026-11-24).
-- Nothing is checked of a day before :kept_since, the first that all of these tables have whole.
-- Idempotent: reads only.
WITH
silver AS (
  SELECT count(*) AS detections, min(capture_ts) AS oldest, max(capture_ts) AS newest
  FROM silver_detection
  WHERE class_name = 'person'
    AND :day >= :kept_since
    AND capture_ts >= with_timezone(CAST(:day AS timestamp(6)), 'UTC')
    AND capture_ts < with_timezone(CAST(:day AS timestamp(6)) + INTERVAL '1' DAY, 'UTC')
),
gold AS (
  SELECT max(ts_minute) AS newest
  FROM gold_people_per_minute
  WHERE ts_minute >= with_timezone(CAST(:day AS timestamp(6)), 'UTC')
    AND ts_minute < with_timezone(CAST(:day AS timestamp(6)) + INTERVAL '1' DAY, 'UTC')
)
SELECT
  count_if(
    date_diff('second', coalesce(gold.newest, silver.oldest), silver.newest) > :late_seconds
  ) AS violations,
  max(silver.detections) AS checked,
  'Silver has ' || CAST(max(silver.newest) AS varchar) || ', Gold '
    || coalesce(CAST(max(gold.newest) AS varchar), 'nothing') AS example
FROM silver
CROSS JOIN gold
