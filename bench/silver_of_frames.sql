-- Rows of silver_detection of one file of simulated frames, without noise.
-- Grain: a detection. Times are UTC without a zone. Key: that of silver_detection. Source: the JSON lines at the variable `path`.
-- Idempotent: reads only.
SELECT
  source.store_id AS store_id,
  source.camera_id AS camera_id,
  source.stream_id AS stream_id,
  run_id,
  frame_index,
  capture_ts,
  image_size.width AS image_width,
  image_size.height AS image_height,
  found.det_id AS det_id,
  found.class AS class_name,
  found.conf AS conf,
  found.bbox.x1 AS x1,
  found.bbox.y1 AS y1,
  found.bbox.x2 AS x2,
  found.bbox.y2 AS y2,
  found.track_id AS track_id,
  CAST(least(9, floor((found.bbox.x1 + found.bbox.x2) * 5 / image_size.width)) AS INTEGER) AS zone_x,
  CAST(least(9, floor((found.bbox.y1 + found.bbox.y2) * 5 / image_size.height)) AS INTEGER) AS zone_y,
  capture_ts AS ingest_ts
FROM (
  SELECT *, unnest(detections) AS found
  FROM read_json(
    getvariable('path'),
    format = 'newline_delimited',
    columns = {
      run_id: 'VARCHAR',
      source: 'STRUCT(store_id VARCHAR, camera_id VARCHAR, stream_id VARCHAR)',
      frame_index: 'BIGINT',
      capture_ts: 'TIMESTAMP',
      image_size: 'STRUCT(width INTEGER, height INTEGER)',
      detections: 'STRUCT(det_id VARCHAR, class VARCHAR, bbox STRUCT(x1 DOUBLE, y1 DOUBLE, x2 DOUBLE, y2 DOUBLE), conf DOUBLE, track_id BIGINT)[]'
    }
  )
)
