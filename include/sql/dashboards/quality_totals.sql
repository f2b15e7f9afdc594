-- Grain: one row. Source: data_quality. Reads only. Of each check and day the newest result of those
-- in the chosen time counts. Checks are about all stores and cameras.
SELECT
  COUNT_IF(outcome = 'error') AS not_run,
  COUNT_IF(outcome = 'fail') AS failed,
  COUNT_IF(outcome = 'warn') AS warned,
  COUNT_IF(outcome = 'pass') AS passed
FROM (
  SELECT
    outcome,
    ROW_NUMBER() OVER (PARTITION BY day, layer, check_name ORDER BY checked_ts DESC) AS age
  FROM lakehouse.rva.data_quality
  WHERE
    checked_ts BETWEEN with_timezone($__timeFrom(), 'UTC') AND with_timezone($__timeTo(), 'UTC')
)
WHERE age = 1
