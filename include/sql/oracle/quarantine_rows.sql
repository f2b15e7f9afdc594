-- The rows of silver_quarantine in scope, each under the message and place by which the oracle
-- knows it (silver_quarantine.sql). Grain: one row a row. Key: message_id, place.
-- Source: read_quarantine (all that was read), quarantine_sending, message.
-- A row that was replayed and that the messages do not ask for any more is settled: what refused it
-- has been mended, and it is in Silver.
-- A row that was received before what is judged (let_go.sql) is passed over.
-- The place of a detection stands in its detail: `detections[3].bbox: …`.
-- Idempotent: made in a database of its own.
CREATE TABLE actual_silver_quarantine AS
SELECT
  coalesce(first_message_id, placed.message_id) AS message_id,
  placed.place, placed.reason, placed.store_id, placed.camera_id, placed.run_id, placed.payload
FROM (
  SELECT
    *,
    CASE
      WHEN reason LIKE 'message%' THEN -1
      ELSE coalesce(TRY_CAST(regexp_extract(detail, 'detections\[(\d+)\]', 1) AS INTEGER), -2)
    END AS place
  FROM read_quarantine
) AS placed
LEFT JOIN quarantine_sending AS sending
  ON sending.message_id = placed.message_id AND sending.place = placed.place
WHERE placed.ingest_ts >= getvariable('quarantine_since')
  AND coalesce(sending.judged, TRUE)
  AND NOT (placed.replayed_ts IS NOT NULL AND sending.message_id IS NULL)
  AND CASE
    WHEN getvariable('day') IS NULL THEN TRUE
    -- a bad message belongs to the day in which it came, a bad detection to that of its frame
    WHEN placed.place = -1 THEN CAST(ingest_ts AS DATE) = getvariable('day')
    WHEN sending.message_id IS NOT NULL THEN sending.in_scope
    ELSE CAST(ingest_ts AS DATE) = getvariable('day')
      AND placed.message_id NOT IN (
        SELECT message_id FROM message WHERE reason IS NULL AND NOT in_scope
      )
  END;
