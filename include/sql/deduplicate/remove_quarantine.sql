-- Removes quarantined detections of a later sending of a message that has its own there, in one
-- commit. Source: silver_quarantine, bronze_raw. Idempotent: first sendings are left alone.
DELETE FROM silver_quarantine
WHERE reason LIKE 'detection_%'
  AND message_id IN (
    SELECT message_id
    FROM (
      SELECT
        message_id,
        ingest_ts > min(ingest_ts) OVER (PARTITION BY sha256(payload)) AS is_later
      FROM bronze_raw
      WHERE message_id IN (
        SELECT message_id FROM silver_quarantine WHERE reason LIKE 'detection_%'
      )
    )
    WHERE is_later
  )
