-- Removes the rows of a day that a detection has beyond its first, in one commit.
-- Key of a detection: as in silver_detection; the first is the one that Bronze read first, as in
-- new_detections.sql. Idempotent: a detection with one row is left alone.
-- Values: first and first-not capture_ts of the day, twice.
MERGE INTO silver_detection AS s
USING (
  SELECT
    store_id, camera_id, run_id, frame_index, capture_ts, det_id,
    min(ingest_ts) AS first_ts
  FROM silver_detection
  WHERE capture_ts >= ? AND capture_ts < ?
  GROUP BY store_id, camera_id, run_id, frame_index, capture_ts, det_id
  HAVING max(ingest_ts) > min(ingest_ts)
) AS doubled
ON (
  s.capture_ts >= ? AND s.capture_ts < ?
  AND s.store_id = doubled.store_id
  AND s.camera_id = doubled.camera_id
  AND s.run_id = doubled.run_id
  AND s.frame_index = doubled.frame_index
  AND s.capture_ts = doubled.capture_ts
  AND s.det_id = doubled.det_id
  AND s.ingest_ts > doubled.first_ts
)
WHEN MATCHED THEN DELETE
