-- The quarantined detections, each with what tells whether it was taken in before: `number` counts
-- the rows of the same detection from 1, `first_ts` is when Bronze read the first of them.
-- Grain: one row a row of silver_quarantine. Source: silver_quarantine, bronze_raw. Reads only.
-- A detection is known by the bytes of its message, so that another sending has it too. Bronze may
-- have a message more than once: it is asked for the bytes alone. The first is the first that stands
-- in the quarantine, so that one row always stays.
SELECT
  q.message_id, q.reason, q.detail, q.ingest_ts,
  row_number() OVER sendings AS number,
  min(q.ingest_ts) OVER sendings AS first_ts
FROM silver_quarantine AS q
JOIN (
  SELECT DISTINCT message_id, sha256(payload) AS payload_hash
  FROM bronze_raw
  WHERE message_id IN (
    SELECT message_id FROM silver_quarantine WHERE reason LIKE 'detection_%'
  )
) AS message ON q.message_id = message.message_id
WHERE q.reason LIKE 'detection_%'
WINDOW sendings AS (PARTITION BY payload_hash, q.reason, q.detail ORDER BY q.ingest_ts)
