-- Check: distinct frames in Bronze of all runs of one camera; at least the frames published.
-- Grain: one number.
-- Key: (run_id, frame_index, capture_ts) within (store_id, camera_id); a message that was sent or
--   read twice counts once.
-- Source: bronze_raw. Values: :store_id, :camera_id, :run_ids (a JSON array).
-- Idempotent: reads only.
SELECT count(*) AS frames
FROM (
  SELECT DISTINCT run_id, frame_index, capture_ts
  FROM lakehouse.{database}.bronze_raw
  WHERE store_id = :store_id
    AND camera_id = :camera_id
    AND contains(CAST(json_parse(:run_ids) AS array(varchar)), run_id)
) AS distinct_frames
