-- Check: Silver keeps up with the messages that Bronze received in the day.
-- Severity: warn. They wait, and are not lost: silver_detections is down, or lags.
-- Limit: :late_seconds = 300. As in bronze/freshness.sql.
-- Grain: one row; a violation is a message that is so much younger than the newest row of Silver and
--   the quarantine, and must have led to one: it has detections, or cannot be read.
-- Key: none, a message that stands twice counts twice.
-- Source: bronze_raw, silver_detection, silver_quarantine, by ingest_ts, which is Bronze's in all of
--   them; of Silver, whose partitions are by capture, Iceberg keeps the least and the greatest of each
--   file. Values: :day (2026-11-24).
-- Nothing is checked of a day before :kept_since, the first that all of these tables have whole, and
--   of a later one no message that was captured before it: its rows of Silver may be gone.
-- Idempotent: reads only.
WITH
arrived AS (
  SELECT max(ingest_ts) AS newest
  FROM (
    SELECT ingest_ts
    FROM silver_detection
    WHERE ingest_ts >= with_timezone(CAST(:day AS timestamp(6)), 'UTC')
      AND ingest_ts < with_timezone(CAST(:day AS timestamp(6)) + INTERVAL '1' DAY, 'UTC')
    UNION ALL
    SELECT ingest_ts
    FROM silver_quarantine
    WHERE ingest_ts >= with_timezone(CAST(:day AS timestamp(6)), 'UTC')
      AND ingest_ts < with_timezone(CAST(:day AS timestamp(6)) + INTERVAL '1' DAY, 'UTC')
    UNION ALL
    SELECT with_timezone(CAST(:day AS timestamp(6)), 'UTC')
  )
),
received AS (
  SELECT
    ingest_ts,
    date_diff('second', arrived.newest, ingest_ts) > :late_seconds
      AND json_array_length(
        json_extract(TRY(json_parse(from_utf8(payload))), '$.detections')
      ) IS DISTINCT FROM 0 AS waits
  FROM bronze_raw
  CROSS JOIN arrived
  WHERE ingest_ts >= with_timezone(CAST(:day AS timestamp(6)), 'UTC')
    AND ingest_ts < with_timezone(CAST(:day AS timestamp(6)) + INTERVAL '1' DAY, 'UTC')
    AND :day >= :kept_since
    AND coalesce(capture_ts >= :kept_since, TRUE)
)
SELECT
  count_if(waits) AS violations,
  count(*) AS checked,
  'the first was received at ' || CAST(min(ingest_ts) FILTER (WHERE waits) AS varchar) AS example
FROM received
