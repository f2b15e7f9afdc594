-- Check: every detection that was captured in the day stands in Silver once.
-- Severity: fail. Gold counts each row; `python -m lakehouse deduplicate --repair` takes them out.
-- Grain: one row; a violation is a row beyond the first of its detection.
-- Key: (store_id, camera_id, run_id, frame_index, capture_ts, det_id).
-- Source: silver_detection, by capture_ts. Values: :day (2026-11-24).
-- Parts: by capture_ts, even parts of the day.
-- Idempotent: reads only.
SELECT
  coalesce(sum(number - 1), 0) AS violations,
  coalesce(sum(number), 0) AS checked,
  max_by(
    store_id || '/' || camera_id || ' ' || run_id || ' frame ' || CAST(frame_index AS varchar)
      || ' ' || det_id || ': ' || CAST(number AS varchar) || ' rows',
    number
  ) FILTER (WHERE number > 1) AS example
FROM (
  SELECT store_id, camera_id, run_id, frame_index, capture_ts, det_id, count(*) AS number
  FROM silver_detection
  WHERE capture_ts >= with_timezone(
      CAST(:day AS timestamp(6)) + INTERVAL '1' SECOND * (86400 * :part / :parts), 'UTC'
    )
    AND capture_ts < with_timezone(
      CAST(:day AS timestamp(6)) + INTERVAL '1' SECOND * (86400 * (:part + 1) / :parts), 'UTC'
    )
  GROUP BY store_id, camera_id, run_id, frame_index, capture_ts, det_id
)
