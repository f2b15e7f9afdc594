-- Grain: one row: how far the newest minute of Gold is behind Silver's newest person, by the time of
-- capture. Source: silver_detection, gold_people_per_minute. Reads only. 0 where Silver has nobody
-- in the looked-at time.
-- Limit: late_seconds as in checks/gold/freshness.sql.
WITH silver AS (
  SELECT
    MIN(capture_ts) AS oldest,
    MAX(capture_ts) AS newest
  FROM lakehouse.rva.silver_detection
  WHERE
    class_name = 'person'
    AND capture_ts BETWEEN with_timezone($__timeFrom(), 'UTC') AND with_timezone($__timeTo(), 'UTC')
),
gold AS (
  SELECT MAX(ts_minute) AS newest
  FROM lakehouse.rva.gold_people_per_minute
  WHERE ts_minute BETWEEN with_timezone($__timeFrom(), 'UTC') AND with_timezone($__timeTo(), 'UTC')
)
SELECT
  COALESCE(
    date_diff('second', COALESCE(gold.newest, silver.oldest), silver.newest), 0
  ) AS late_seconds
FROM silver
CROSS JOIN gold
