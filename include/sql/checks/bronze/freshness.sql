-- Check: every message of the day was read soon after the broker had taken it.
-- Severity: warn. It came late and is not lost: bronze_ingest was down, or lagged.
-- Limit: :late_seconds = 300. The DAG that brings a dead job back looks every five minutes.
-- Grain: one row. Key: none, a message that stands twice counts twice.
-- Source: bronze_raw, by ingest_ts. Values: :day (2026-11-24).
-- Idempotent: reads only.
SELECT
  count_if(waited_seconds > :late_seconds) AS violations,
  count(waited_seconds) AS checked,
  'one waited for ' || CAST(max(waited_seconds) AS varchar) || ' s' AS example
FROM (
  SELECT date_diff('second', publish_ts, ingest_ts) AS waited_seconds
  FROM bronze_raw
  WHERE ingest_ts >= with_timezone(CAST(:day AS timestamp(6)), 'UTC')
    AND ingest_ts < with_timezone(CAST(:day AS timestamp(6)) + INTERVAL '1' DAY, 'UTC')
)
