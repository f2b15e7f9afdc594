-- Check: what Gold counts of one UTC day is what Silver holds of it; all columns must be equal.
-- Grain: one row.
-- Key: every person detection is in one minute of its camera, and in one cell of one hour.
-- Source: silver_detection, gold_people_per_minute, gold_zone_heatmap. Values: :day (2026-11-24).
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
    SELECT coalesce(sum(hits), 0)
    FROM lakehouse.{database}.gold_zone_heatmap
    WHERE ts_hour >= with_timezone(CAST(:day AS timestamp(6)), 'UTC')
      AND ts_hour < with_timezone(CAST(:day AS timestamp(6)) + INTERVAL '1' DAY, 'UTC')
  ) AS zone_heatmap_hits
