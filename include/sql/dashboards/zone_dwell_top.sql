-- Grain: one row a grid cell of a camera, the ten with the longest dwell. Key: camera, cell.
-- Source: gold_zone_dwell. Reads only. The mean over hours is dwell over visits, not a mean of
-- means.
SELECT
  store_id || '/' || camera_id AS camera,
  'x' || CAST(zone_x AS VARCHAR) || ' y' || CAST(zone_y AS VARCHAR) AS cell,
  SUM(total_dwell_seconds) AS total_dwell_seconds,
  SUM(visits) AS visits,
  SUM(total_dwell_seconds) / SUM(visits) AS avg_dwell_seconds,
  MAX(max_dwell_seconds) AS max_dwell_seconds
FROM lakehouse.rva.gold_zone_dwell
WHERE
  ts_hour BETWEEN with_timezone(date_trunc('hour', $__timeFrom()), 'UTC')
    AND with_timezone($__timeTo(), 'UTC')
  AND ('__all' IN ($store) OR store_id IN ($store))
  AND ('__all' IN ($camera) OR camera_id IN ($camera))
GROUP BY store_id, camera_id, zone_x, zone_y
ORDER BY total_dwell_seconds DESC, visits DESC, camera, cell
LIMIT 10
