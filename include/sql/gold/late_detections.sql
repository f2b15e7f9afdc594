-- Person detections that were read when the watermark had passed their own time: what the windows
-- and sessions of streaming Gold may have left out. The latest passed_ts read is kept in the job's
-- state, since CURRENT_WATERMARK forgets on a resume what the windows remember. newest_ms: the newest
-- capture_ts read; a declared end counts as one that is the lateness after it.
SELECT
  store_id, camera_id, track_id, ts_ms, watermark_ms,
  watermark_ms + ${lateness_seconds} * 1000 AS newest_ms
FROM (
  SELECT
    store_id, camera_id, track_id, class_name, ts_ms,
    MAX(passed_ms) OVER (ORDER BY read_at) AS watermark_ms
  FROM (
    SELECT
      store_id, camera_id, track_id, class_name,
      EXTRACT(EPOCH FROM ts) * 1000 + EXTRACT(MILLISECOND FROM ts) AS ts_ms,
      EXTRACT(EPOCH FROM passed_ts) * 1000 + EXTRACT(MILLISECOND FROM passed_ts) AS passed_ms,
      PROCTIME() AS read_at
    FROM detection_stream
  )
)
WHERE class_name = 'person'
  AND ts_ms <= watermark_ms
  AND ${open_days}
