-- Expected silver_detection. Grain: one row a usable detection, once.
-- Key: store_id, camera_id, run_id, frame_index, capture_ts, det_id.
-- Source: message, detection_read. Of several sendings the first that Bronze read counts.
-- Idempotent: made in a database of its own. arrived, in_scope: not columns of the table.
CREATE TABLE silver_detection AS
SELECT
  store_id, camera_id, run_id, frame_index, capture_ts, det_id, stream_id,
  image_width, image_height, class_name, conf, x1, y1, x2, y2, track_id,
  -- the box's centre in tenths of the side; its right and lower edge belong to the last cell
  CAST(least(9, floor((x1 + x2) * 5 / image_width)) AS INTEGER) AS zone_x,
  CAST(least(9, floor((y1 + y2) * 5 / image_height)) AS INTEGER) AS zone_y,
  ingest_ts AS arrived,
  in_scope
FROM message
JOIN detection_read USING (number)
QUALIFY row_number() OVER (
  PARTITION BY store_id, camera_id, run_id, frame_index, capture_ts, det_id
  ORDER BY ingest_ts, number
) = 1;
