-- Grain: one row a valid detection. Key: store_id, camera_id, run_id, frame_index, capture_ts,
-- det_id. Source: bronze_raw. Idempotent: keep-first on the key (parsed_once.sql).
SELECT
  store_id,
  camera_id,
  run_id,
  frame_index,
  CAST(TO_TIMESTAMP_LTZ(capture_ms, 3) AS TIMESTAMP_LTZ(6)) AS capture_ts,
  det_id,
  stream_id,
  image_width,
  image_height,
  class_name,
  conf,
  x1,
  y1,
  x2,
  y2,
  track_id,
  zone_x,
  zone_y,
  ingest_ts
FROM silver_detection_once
