-- Grain: one row a check and day, the newest result of those in the chosen time; what does not pass
-- first, 500 at most. Key: day, check_name. Source: data_quality. Reads only. Checks are about all
-- stores and cameras.
SELECT
  CAST(day AS VARCHAR) AS day,
  layer || '/' || check_name AS check_name,
  outcome,
  violations,
  checked,
  COALESCE(detail, example) AS example,
  checked_ts
FROM (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY day, layer, check_name ORDER BY checked_ts DESC) AS age
  FROM lakehouse.rva.data_quality
  WHERE
    checked_ts BETWEEN with_timezone($__timeFrom(), 'UTC') AND with_timezone($__timeTo(), 'UTC')
)
WHERE age = 1
ORDER BY outcome = 'pass', day DESC, check_name
LIMIT 500
