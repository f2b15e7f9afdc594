-- Grain: one row a UTC day that the chosen time touches and that has people, taken whole; the newest
-- first. Key: day. Source: silver_detection, gold_people_per_minute, gold_zone_heatmap. Reads only.
-- The three are equal at a quiet moment; of the day that runs, some are still on their way.
SELECT
  CAST(day AS VARCHAR) AS day,
  CASE
    WHEN SUM(of_silver) = SUM(of_minutes) AND SUM(of_silver) = SUM(of_heatmap) THEN 'holds'
    ELSE 'differs'
  END AS identity,
  SUM(of_silver) AS silver_person_rows,
  SUM(of_minutes) AS minutes_detections,
  SUM(of_heatmap) AS heatmap_hits
FROM (
  SELECT
    store_id, camera_id, capture_ts AS ts, CAST(capture_ts AS DATE) AS day,
    1 AS of_silver, 0 AS of_minutes, 0 AS of_heatmap
  FROM lakehouse.rva.silver_detection
  WHERE class_name = 'person'
  UNION ALL
  SELECT store_id, camera_id, ts_minute, CAST(ts_minute AS DATE), 0, detections, 0
  FROM lakehouse.rva.gold_people_per_minute
  UNION ALL
  SELECT store_id, camera_id, ts_hour, CAST(ts_hour AS DATE), 0, 0, hits
  FROM lakehouse.rva.gold_zone_heatmap
)
WHERE
  ts >= with_timezone(date_trunc('day', $__timeFrom()), 'UTC')
  AND ts < with_timezone(date_trunc('day', $__timeTo()) + INTERVAL '1' DAY, 'UTC')
  AND ('__all' IN ($store) OR store_id IN ($store))
  AND ('__all' IN ($camera) OR camera_id IN ($camera))
GROUP BY day
ORDER BY day DESC
