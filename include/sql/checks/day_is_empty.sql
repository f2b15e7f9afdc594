-- Check: whether there is anything to rebuild of a UTC day; nothing where all columns are zero.
-- Grain: one row. `recorded`: detections that its last rebuild knew of, which may be gone since.
-- Key: as in gold_equals_silver.sql.
-- Source: silver_detection, gold_people_per_minute, gold_backfill. Values: :day (2026-11-24).
-- Idempotent: reads only.
SELECT
  (
    SELECT count(*)
    FROM lakehouse.{database}.silver_detection
    WHERE class_name = 'person'
      AND capture_ts >= with_timezone(CAST(:day AS timestamp(6)), 'UTC')
      AND capture_ts < with_timezone(CAST(:day AS timestamp(6)) + INTERVAL '1' DAY, 'UTC')
  ) AS silver_person_detections,
  (
    SELECT coalesce(sum(detections), 0)
    FROM lakehouse.{database}.gold_people_per_minute
    WHERE ts_minute >= with_timezone(CAST(:day AS timestamp(6)), 'UTC')
      AND ts_minute < with_timezone(CAST(:day AS timestamp(6)) + INTERVAL '1' DAY, 'UTC')
  ) AS people_per_minute_detections,
  (
    SELECT coalesce(max_by(silver_rows, published_ts), 0)
    FROM lakehouse.{database}.gold_backfill
    WHERE day = CAST(:day AS date)
  ) AS recorded
