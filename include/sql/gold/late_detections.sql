-- Person detections that were read when the watermark had passed their own time: what the windows
-- and sessions of streaming Gold may have left out. The newest capture_ts read is kept in the job's
-- state, since CURRENT_WATERMARK forgets on a resume what the windows remember.
SELECT
  store_id, camera_id, track_id, ts_ms, newest_ms,
  newest_ms - ${lateness_seconds} * 1000 AS watermark_ms
FROM (
  SELECT store_id, camera_id, track_id, class_name, ts_ms, MAX(ts_ms) OVER (ORDER BY read_at) AS newest_ms
  FROM (
    SELECT
      store_id, camera_id, track_id, class_name,
      EXTRACT(EPOCH FROM ts) * 1000 + EXTRACT(MILLISECOND FROM ts) AS ts_ms,
      PROCTIME() AS read_at
    FROM detection_stream
  )
)
WHERE class_name = 'person'
  AND ts_ms <= newest_ms - ${lateness_seconds} * 1000
  AND ${open_days}
