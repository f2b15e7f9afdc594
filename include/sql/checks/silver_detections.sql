-- Check: detections of one capture in Silver; must be the detections that vision found.
-- Grain: one number. Rows, not distinct keys: a detection that stands twice must be seen.
-- Key: (store_id, camera_id, run_id, frame_index, capture_ts, det_id).
-- Source: silver_detection. Values: :store_id, :camera_id, :run_id; and, so that only the days'
--   partitions are read, :first_capture_ts and :last_capture_ts (ISO 8601, UTC).
-- Idempotent: reads only.
SELECT count(*) AS detections
FROM lakehouse.{database}.silver_detection
WHERE store_id = :store_id
  AND camera_id = :camera_id
  AND run_id = :run_id
  AND capture_ts >= from_iso8601_timestamp(:first_capture_ts)
  AND capture_ts <= from_iso8601_timestamp(:last_capture_ts)
