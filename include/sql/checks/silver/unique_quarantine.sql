-- Check: whatever was received in the day and could not be used stands in the quarantine once.
-- Severity: warn. Nobody counts these rows; `python -m lakehouse deduplicate --repair` takes them out.
-- Grain: one row; a violation is a row beyond the first of its key.
-- Key: (message_id, reason, detail); older rows, which lack message_id, are passed over.
-- Source: silver_quarantine, by ingest_ts. Values: :day (2026-11-24).
-- Idempotent: reads only.
SELECT
  coalesce(sum(number - 1), 0) AS violations,
  coalesce(sum(number), 0) AS checked,
  max_by('message ' || to_hex(message_id) || ': ' || reason, number)
    FILTER (WHERE number > 1) AS example
FROM (
  SELECT message_id, reason, detail, count(*) AS number
  FROM silver_quarantine
  WHERE ingest_ts >= with_timezone(CAST(:day AS timestamp(6)), 'UTC')
    AND ingest_ts < with_timezone(CAST(:day AS timestamp(6)) + INTERVAL '1' DAY, 'UTC')
    AND message_id IS NOT NULL
  GROUP BY message_id, reason, detail
)
