-- Grain: one row a store that has Gold data. Key: store_id. Source: gold_people_per_minute.
-- Reads only. For the dashboards' variable of stores.
SELECT DISTINCT store_id
FROM lakehouse.rva.gold_people_per_minute
ORDER BY store_id
