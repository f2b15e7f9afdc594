-- Grain: one row a minute of receipt in which a message came: the share of the messages of which
-- something could not be used. Key: time. Source: bronze_raw, silver_quarantine, whose ingest_ts is
-- Bronze's. Reads only. What has no store or camera counts only while all of them are chosen.
-- Limit: quarantine_share as in dashboards/alerts/quarantine_share.sql.
SELECT
  ts_minute AS time,
  COUNT(DISTINCT refused_id) / CAST(COUNT(message_id) AS DOUBLE) AS quarantine_share
FROM (
  SELECT
    store_id,
    camera_id,
    date_trunc('minute', ingest_ts) AS ts_minute,
    message_id,
    NULL AS refused_id
  FROM lakehouse.rva.bronze_raw
  WHERE ingest_ts BETWEEN with_timezone($__timeFrom(), 'UTC') AND with_timezone($__timeTo(), 'UTC')
  UNION ALL
  SELECT
    store_id,
    camera_id,
    date_trunc('minute', ingest_ts) AS ts_minute,
    NULL AS message_id,
    message_id AS refused_id
  FROM lakehouse.rva.silver_quarantine
  WHERE ingest_ts BETWEEN with_timezone($__timeFrom(), 'UTC') AND with_timezone($__timeTo(), 'UTC')
)
WHERE
  ('__all' IN ($store) OR store_id IN ($store))
  AND ('__all' IN ($camera) OR camera_id IN ($camera))
GROUP BY ts_minute
HAVING COUNT(message_id) > 0
ORDER BY time
