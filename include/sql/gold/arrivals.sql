-- What streaming Gold reads, one row after the other, and passed_ts: the time that nothing counted
-- comes before any more, once the row is read. It trails a detection's capture_ts by the lateness;
-- rows behind it are left to the nightly batch. An end, a row of no class, says it of itself (ADR 018),
-- but only to the reading of Silver for which it was declared: another has not read what came before.
-- Both kinds are one stream, so that the watermark follows the rows in their order and no idle source
-- is waited for.
SELECT
  store_id, camera_id, run_id, track_id, class_name, zone_x, zone_y, x1, y1, x2, y2, conf,
  ts,
  ts - ${lateness} AS passed_ts
FROM arriving_detections
UNION ALL
SELECT
  '', '', '', CAST(NULL AS BIGINT), '', 0, 0, 0e0, 0e0, 0e0, 0e0, 0e0,
  ts,
  CASE WHEN reading = '${reading}' THEN ts - INTERVAL '0.001' SECOND END AS passed_ts
FROM arriving_ends
