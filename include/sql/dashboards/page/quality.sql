-- Grain: one row a check and day, its newest result. Key: (day, layer, check_name).
-- Source: data_quality. Values: :first, :last (days, 2026-11-24, both included). Reads only.
-- Checks are about all stores and cameras. What does not pass comes first.
WITH
newest AS (
  SELECT
    *,
    row_number() OVER (PARTITION BY day, layer, check_name ORDER BY checked_ts DESC) AS age
  FROM lakehouse.{database}.data_quality
  WHERE day BETWEEN CAST(:first AS date) AND CAST(:last AS date)
)
SELECT day, layer, check_name, outcome, violations, checked, example, detail, checked_ts
FROM newest
WHERE age = 1
ORDER BY
  CASE outcome WHEN 'error' THEN 0 WHEN 'fail' THEN 1 WHEN 'warn' THEN 2 ELSE 3 END,
  day DESC, layer, check_name
