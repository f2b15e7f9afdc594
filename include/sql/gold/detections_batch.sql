-- What the batch of a day reads: its person detections, those of the 30 s before (a track or
-- visit that began earlier is recognised by them and left to its own day), and those after, as
-- far as a track or visit that began in the day can reach.
CREATE TEMPORARY VIEW person_detections AS
SELECT
  store_id, camera_id, run_id, track_id, zone_x, zone_y, x1, y1, x2, y2, conf, ts,
  EXTRACT(EPOCH FROM ts) * 1000 + EXTRACT(MILLISECOND FROM ts) AS ts_ms
FROM detection_stream
WHERE class_name = 'person'
  AND capture_ts >= CAST(TIMESTAMP '${read_from}' AS TIMESTAMP_LTZ(6))
  AND capture_ts < CAST(TIMESTAMP '${read_until}' AS TIMESTAMP_LTZ(6))
