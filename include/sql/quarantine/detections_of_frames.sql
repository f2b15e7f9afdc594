-- The detections that Silver has of some frames, and since when.
-- Grain: one row a detection. Source: silver_detection. Reads only.
-- Values: frames as an array of rows (store, camera, run, frame_index, capture_ts); first and last
--   capture_ts, so that only the days' partitions are read.
SELECT d.store_id, d.camera_id, d.run_id, d.frame_index, d.capture_ts, d.det_id, d.ingest_ts
FROM silver_detection AS d
INNER JOIN (
  SELECT * FROM UNNEST(?) AS t (store_id, camera_id, run_id, frame_index, capture_ts)
) AS f
  ON d.store_id = f.store_id
  AND d.camera_id = f.camera_id
  AND d.run_id = f.run_id
  AND d.frame_index = f.frame_index
  AND d.capture_ts = f.capture_ts
WHERE d.capture_ts BETWEEN ? AND ?
