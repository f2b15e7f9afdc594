-- Grain: one row: the share of the received messages of which something could not be used. Source:
-- bronze_raw, silver_quarantine, whose ingest_ts is Bronze's. Reads only. 0 where none came.
-- Limit: quarantine_share = 0.01. Above it people see that numbers are too small.
SELECT
  COALESCE(
    CAST(quarantined.messages AS DOUBLE) / NULLIF(received.messages, 0), 0
  ) AS quarantine_share
FROM (
  SELECT COUNT(*) AS messages
  FROM lakehouse.rva.bronze_raw
  WHERE
    ingest_ts BETWEEN with_timezone($__timeFrom(), 'UTC') AND with_timezone($__timeTo(), 'UTC')
) AS received
CROSS JOIN (
  SELECT COUNT(DISTINCT message_id) AS messages
  FROM lakehouse.rva.silver_quarantine
  WHERE
    ingest_ts BETWEEN with_timezone($__timeFrom(), 'UTC') AND with_timezone($__timeTo(), 'UTC')
) AS quarantined
