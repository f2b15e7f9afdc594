-- Person detections of one track in one cell within ${slice_ms} ms, taken together: what all four
-- tables of a batch are made of. A slice is no longer than a gap, so that it is never cut in two by
-- one, and a part of a minute, so that it is never of two. Cameras send 2 to 30 detections in it.
-- Grain: store_id, camera_id, run_id, track_id (null: no track), zone_x, zone_y and slice. Centres in
-- pixels. Source: person_detections.
SELECT
  store_id, camera_id, run_id, track_id, zone_x, zone_y,
  MIN(ts_ms) AS ts_ms,
  MAX(ts_ms) AS end_ms,
  COUNT(*) AS frames,
  MIN(centre_x) AS min_x, MAX(centre_x) AS max_x, SUM(centre_x) AS sum_x,
  MIN(centre_y) AS min_y, MAX(centre_y) AS max_y, SUM(centre_y) AS sum_y,
  SUM(conf) AS sum_conf
FROM (
  SELECT *, (x1 + x2) / 2 AS centre_x, (y1 + y2) / 2 AS centre_y
  FROM person_detections
)
GROUP BY
  store_id, camera_id, run_id, track_id, zone_x, zone_y, ts_ms / ${slice_ms}
