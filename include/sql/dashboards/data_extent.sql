-- Grain: one row. Source: gold_people_per_minute. Reads only. The time that Gold covers for the
-- chosen cameras, whatever the time picker says, so that an empty dashboard tells where to look.
SELECT
  MIN(ts_minute) AS data_from,
  MAX(ts_minute) + INTERVAL '1' MINUTE AS data_to
FROM lakehouse.rva.gold_people_per_minute
WHERE
  ('__all' IN ($store) OR store_id IN ($store))
  AND ('__all' IN ($camera) OR camera_id IN ($camera))
