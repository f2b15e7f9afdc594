-- Check: every message that was received in the day is usable or in quarantine.
-- Severity: fail. Silver has lost one that is neither; `make prove` tells more.
-- Limit: :on_the_way_seconds = 300. What Bronze has read since may still be on its way.
-- Grain: one row; a violation is a message. One that has all required fields counts as usable here:
--   whether it keeps the rest of the contract, proving.md judges.
-- Key: message_id.
-- Source: bronze_raw, silver_quarantine, by ingest_ts, which is Bronze's in both. Values: :day
--   (2026-11-24).
-- Nothing is checked of a day before :kept_since, the first that all of these tables have whole.
-- Parts: by ingest_ts, even parts of the day.
-- Idempotent: reads only.
WITH
received AS (
  SELECT message_id, ingest_ts, TRY(json_parse(from_utf8(payload))) AS message
  FROM bronze_raw
  WHERE ingest_ts >= with_timezone(
      CAST(:day AS timestamp(6)) + INTERVAL '1' SECOND * (86400 * :part / :parts), 'UTC'
    )
    AND ingest_ts < with_timezone(
      CAST(:day AS timestamp(6)) + INTERVAL '1' SECOND * (86400 * (:part + 1) / :parts), 'UTC'
    )
    AND ingest_ts < current_timestamp - INTERVAL '1' SECOND * :on_the_way_seconds
    AND :day >= :kept_since
),
quarantined AS (
  SELECT DISTINCT message_id
  FROM silver_quarantine
  WHERE ingest_ts >= with_timezone(
      CAST(:day AS timestamp(6)) + INTERVAL '1' SECOND * (86400 * :part / :parts), 'UTC'
    )
    AND ingest_ts < with_timezone(
      CAST(:day AS timestamp(6)) + INTERVAL '1' SECOND * (86400 * (:part + 1) / :parts), 'UTC'
    )
),
judged AS (
  SELECT
    received.message_id,
    received.ingest_ts,
    quarantined.message_id IS NULL
      AND (
        -- null where one of them is
        json_extract_scalar(message, '$.source.store_id')
          || json_extract_scalar(message, '$.source.camera_id')
          || json_extract_scalar(message, '$.source.stream_id')
          || json_extract_scalar(message, '$.frame_index')
          || json_extract_scalar(message, '$.capture_ts')
          || json_extract_scalar(message, '$.image_size.width')
          || json_extract_scalar(message, '$.image_size.height') IS NULL
        OR json_array_length(json_extract(message, '$.detections')) IS NULL
      ) AS is_lost
  FROM received
  LEFT JOIN quarantined ON received.message_id = quarantined.message_id
)
SELECT
  count_if(is_lost) AS violations,
  count(*) AS checked,
  min_by('message ' || to_hex(message_id), ingest_ts) FILTER (WHERE is_lost) AS example
FROM judged
