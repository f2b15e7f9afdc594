-- Check: every message that was received in the day stands in Bronze once.
-- Severity: warn. Silver keeps the first of each detection, so no number is wrong.
-- Grain: one row; a violation is a row beyond the first of its message.
-- Key: message_id.
-- Source: bronze_raw, by ingest_ts. Values: :day (2026-11-24).
-- Parts: by message_id.
-- Idempotent: reads only.
SELECT
  coalesce(sum(number - 1), 0) AS violations,
  coalesce(sum(number), 0) AS checked,
  max_by('message ' || to_hex(message_id), number) FILTER (WHERE number > 1) AS example
FROM (
  SELECT message_id, count(*) AS number
  FROM bronze_raw
  WHERE ingest_ts >= with_timezone(CAST(:day AS timestamp(6)), 'UTC')
    AND ingest_ts < with_timezone(CAST(:day AS timestamp(6)) + INTERVAL '1' DAY, 'UTC')
    AND abs(from_big_endian_64(xxhash64(message_id)) % :parts) = :part
  GROUP BY message_id
)
