-- Grain: one row: how much younger than Silver is the newest message that must have led to a row
-- there or in quarantine: it has detections, or cannot be read. Source: bronze_raw,
-- silver_detection, silver_quarantine. Reads only. 0 where none waits.
-- Limit: late_seconds as in checks/silver/freshness.sql.
WITH arrived AS (
  SELECT MAX(ingest_ts) AS newest
  FROM (
    SELECT ingest_ts
    FROM lakehouse.rva.silver_detection
    WHERE
      ingest_ts BETWEEN with_timezone($__timeFrom(), 'UTC') AND with_timezone($__timeTo(), 'UTC')
    UNION ALL
    SELECT ingest_ts
    FROM lakehouse.rva.silver_quarantine
    WHERE
      ingest_ts BETWEEN with_timezone($__timeFrom(), 'UTC') AND with_timezone($__timeTo(), 'UTC')
    UNION ALL
    SELECT with_timezone($__timeFrom(), 'UTC')
  )
)
SELECT COALESCE(MAX(date_diff('second', arrived.newest, messages.ingest_ts)), 0) AS late_seconds
FROM lakehouse.rva.bronze_raw AS messages
CROSS JOIN arrived
WHERE
  messages.ingest_ts BETWEEN with_timezone($__timeFrom(), 'UTC') AND with_timezone($__timeTo(), 'UTC')
  AND messages.ingest_ts > arrived.newest
  AND COALESCE(
    json_array_length(
      json_extract(TRY(json_parse(from_utf8(messages.payload))), '$.detections')
    ),
    1
  ) > 0
