-- Check: no frame is missing between the first and the last of a run that were received in the day.
-- Severity: warn. A damaged recording has gaps too, and what was never sent cannot be had.
-- Grain: one row; a violation is a place where frames are missing.
-- Key: (frame_index, capture_ts) within (store_id, camera_id, run_id).
-- Source: bronze_raw, by ingest_ts. Values: :day (2026-11-24).
-- No gap: frames that the camera's own line says it let go (dropped_frames); and those that
--   --fps-limit leaves out. There the usual step from frame to frame is more than 1, and one more
--   is allowed, since slots of time do not divide evenly. Numbers start again in a new capture of a
--   first-generation stream: a step back is none.
-- Parts: by run, whose frames are compared with each other.
-- Idempotent: reads only.
WITH
frames AS (
  SELECT
    store_id, camera_id, run_id, frame_index, capture_ts,
    max(
      coalesce(
        TRY_CAST(
          regexp_extract(from_utf8(payload), '"dropped_frames"\s*:\s*([0-9]{1,9})', 1) AS bigint
        ),
        0
      )
    ) AS dropped_frames
  FROM bronze_raw
  WHERE ingest_ts >= with_timezone(CAST(:day AS timestamp(6)), 'UTC')
    AND ingest_ts < with_timezone(CAST(:day AS timestamp(6)) + INTERVAL '1' DAY, 'UTC')
    AND store_id IS NOT NULL
    AND camera_id IS NOT NULL
    AND run_id IS NOT NULL
    AND capture_ts IS NOT NULL
    -- what was sent is not trusted: a difference of such numbers cannot overflow
    AND frame_index >= 0
    AND abs(from_big_endian_64(xxhash64(to_utf8(run_id))) % :parts) = :part
  GROUP BY store_id, camera_id, run_id, frame_index, capture_ts
),
steps AS (
  SELECT
    store_id, camera_id, run_id, frame_index, dropped_frames,
    frame_index - lag(frame_index) OVER (
      PARTITION BY store_id, camera_id, run_id ORDER BY capture_ts, frame_index
    ) AS step
  FROM frames
),
compared AS (
  SELECT
    *,
    approx_percentile(CASE WHEN step > 0 THEN step END, 0.5) OVER (
      PARTITION BY store_id, camera_id, run_id
    ) AS usual_step
  FROM steps
),
judged AS (
  SELECT
    *,
    step > (dropped_frames + 1) * CASE WHEN usual_step = 1 THEN 1e0 ELSE usual_step + 1e0 END
      AS is_gap
  FROM compared
)
SELECT
  count_if(is_gap) AS violations,
  count(*) AS checked,
  max_by(
    store_id || '/' || camera_id || ' ' || run_id || ': frame ' || CAST(frame_index AS varchar)
      || ' comes ' || CAST(step AS varchar) || ' after the one before it',
    step
  ) FILTER (WHERE is_gap) AS example
FROM judged
