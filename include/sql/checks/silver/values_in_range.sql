-- Check: boxes are inside their images, confidences from 0 to 1, zones from 0 to 9.
-- Severity: fail. The contract lets no such detection pass, so a job or a hand has written it.
-- Grain: one row; a violation is a detection.
-- Key: (store_id, camera_id, run_id, frame_index, capture_ts, det_id).
-- Source: silver_detection, by capture_ts. Values: :day (2026-11-24).
-- NOT (…) and not its opposite, so that what is no number is found too.
-- Idempotent: reads only.
SELECT
  count(wrong) AS violations,
  count(*) AS checked,
  min_by(
    store_id || '/' || camera_id || ' ' || run_id || ' frame ' || CAST(frame_index AS varchar)
      || ' ' || det_id || ': ' || wrong,
    capture_ts
  ) FILTER (WHERE wrong IS NOT NULL) AS example
FROM (
  SELECT
    *,
    CASE
      WHEN NOT (x1 >= 0 AND x1 < x2 AND x2 <= image_width)
        THEN 'x from ' || CAST(x1 AS varchar) || ' to ' || CAST(x2 AS varchar)
          || ' of ' || CAST(image_width AS varchar)
      WHEN NOT (y1 >= 0 AND y1 < y2 AND y2 <= image_height)
        THEN 'y from ' || CAST(y1 AS varchar) || ' to ' || CAST(y2 AS varchar)
          || ' of ' || CAST(image_height AS varchar)
      WHEN NOT (conf >= 0 AND conf <= 1) THEN 'conf ' || CAST(conf AS varchar)
      WHEN NOT (zone_x BETWEEN 0 AND 9 AND zone_y BETWEEN 0 AND 9)
        THEN 'zone ' || CAST(zone_x AS varchar) || ', ' || CAST(zone_y AS varchar)
      WHEN frame_index < 0 THEN 'frame_index'
    END AS wrong
  FROM silver_detection
  WHERE capture_ts >= with_timezone(CAST(:day AS timestamp(6)), 'UTC')
    AND capture_ts < with_timezone(CAST(:day AS timestamp(6)) + INTERVAL '1' DAY, 'UTC')
)
