-- Grain: one row a valid detection. Key: store_id, camera_id, run_id, frame_index, capture_ts,
-- det_id. Source: bronze_raw. Idempotent: keep-first on the key (new_detections.sql).
-- The zone is the centre's cell of ten by ten; the right and lower edge belong to the last.
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
  LEAST(9, CAST((x1 + x2) / 2 * 10 / image_width AS INT)) AS zone_x,
  LEAST(9, CAST((y1 + y2) / 2 * 10 / image_height AS INT)) AS zone_y,
  ingest_ts
FROM new_detections
CROSS JOIN UNNEST(detections) AS found (${of_detection})
