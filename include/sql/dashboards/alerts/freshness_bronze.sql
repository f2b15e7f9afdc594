-- Grain: one row: how long one of the messages waited that were read in the looked-at time. Source:
-- bronze_raw. Reads only. 0 where none came.
-- Limit: late_seconds as in checks/bronze/freshness.sql.
SELECT COALESCE(MAX(date_diff('second', publish_ts, ingest_ts)), 0) AS late_seconds
FROM lakehouse.rva.bronze_raw
WHERE
  ingest_ts BETWEEN with_timezone($__timeFrom(), 'UTC') AND with_timezone($__timeTo(), 'UTC')
