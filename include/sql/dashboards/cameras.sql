-- Grain: one row a camera id in the chosen stores. Key: camera_id. Source:
-- gold_people_per_minute. Reads only. For the dashboards' variable of cameras.
SELECT DISTINCT camera_id
FROM lakehouse.rva.gold_people_per_minute
WHERE ('__all' IN ($store) OR store_id IN ($store))
ORDER BY camera_id
