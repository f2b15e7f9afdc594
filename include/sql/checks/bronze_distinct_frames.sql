-- Check: distinct frames of one capture in Bronze; must be the frames published.
-- Grain: one number.
-- Key: (frame_index, capture_ts) within (store_id, camera_id, run_id); a message that was sent or
--   read twice counts once.
-- Source: bronze_raw. Values: :store_id, :camera_id, :run_id.
-- Idempotent: reads only.
SELECT count(*) AS frames
FROM (
  SELECT DISTINCT frame_index, capture_ts
  FROM lakehouse.{database}.bronze_raw
  WHERE store_id = :store_id
    AND camera_id = :camera_id
    AND run_id = :run_id
) AS distinct_frames
