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
FROM (
  SELECT
    *,
    det_ids[place] AS det_id,
    class_names[place] AS class_name,
    confs[place] AS conf,
    boxes[place * 4 - 3] AS x1,
    boxes[place * 4 - 2] AS y1,
    boxes[place * 4 - 1] AS x2,
    boxes[place * 4] AS y2,
    track_ids[place] AS track_id
  FROM new_detections
  CROSS JOIN UNNEST(places) AS found (place)
)
