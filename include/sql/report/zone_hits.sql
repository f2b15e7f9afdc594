-- Grain: a grid cell with hits. Key: zone_x, zone_y. A camera's hits over its days. Source:
-- gold_zone_heatmap. Reads only. Parameters: store_id, camera_id, days (2026-11-24,2026-11-25).
SELECT zone_x, zone_y, sum(hits)
FROM gold_zone_heatmap
WHERE store_id = ?
  AND camera_id = ?
  AND contains(split(?, ','), CAST(CAST(ts_hour AT TIME ZONE 'UTC' AS date) AS varchar))
GROUP BY zone_x, zone_y
ORDER BY zone_x, zone_y
