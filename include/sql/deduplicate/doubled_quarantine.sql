-- How many quarantined detections are of a later sending of a message that has its own there.
-- Grain: one row. Source: silver_quarantine, bronze_raw. Reads only.
SELECT count(*) AS surplus
FROM silver_quarantine AS q
JOIN (
  SELECT
    message_id,
    ingest_ts > min(ingest_ts) OVER (PARTITION BY sha256(payload)) AS is_later
  FROM bronze_raw
  WHERE message_id IN (
    SELECT message_id FROM silver_quarantine WHERE reason LIKE 'detection_%'
  )
) AS sending ON q.message_id = sending.message_id
WHERE sending.is_later AND q.reason LIKE 'detection_%'
