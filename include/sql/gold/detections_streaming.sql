-- What streaming Gold counts: person detections of days that no batch has closed.
CREATE TEMPORARY VIEW person_detections AS
SELECT
  store_id, camera_id, run_id, track_id, zone_x, zone_y, x1, y1, x2, y2, conf, ts,
  EXTRACT(EPOCH FROM ts) * 1000 + EXTRACT(MILLISECOND FROM ts) AS ts_ms
FROM detection_stream
WHERE class_name = 'person' AND ${open_days}
