-- Expected silver_quarantine. Grain: one row a message or detection that cannot be used.
-- Key: message_id, place (-1: the message as a whole). A detection that was sent twice, in the same
-- place of the same frame with the same text, is one: quarantine_sending has each sending of it,
-- with the message_id by which it goes (first_message_id). judged: the quarantine must still have it
-- (let_go.sql); of a frame that was captured before, an earlier sending may be gone.
-- Source: message, detection_rejected. Idempotent: made in a database of its own.
CREATE TABLE quarantine_sending AS
SELECT
  message_id, place, rejected.reason, store_id, camera_id, run_id, rejected.payload, in_scope,
  coalesce(least(ingest_ts, capture_ts) >= getvariable('quarantine_since'), TRUE) AS judged,
  first_value(message_id) OVER (
    PARTITION BY store_id, camera_id, run_id, frame_index, capture_ts, place, rejected.payload
    ORDER BY ingest_ts, number
  ) AS first_message_id
FROM message
JOIN detection_rejected AS rejected USING (number)
UNION ALL
SELECT
  message_id, -1, reason, store_id, camera_id, run_id, payload, in_scope,
  coalesce(ingest_ts >= getvariable('quarantine_since'), TRUE), message_id
FROM message
WHERE reason IS NOT NULL;

CREATE TABLE silver_quarantine AS
SELECT DISTINCT
  message_id, place, reason, store_id, camera_id, run_id, payload, in_scope AND judged AS in_scope
FROM quarantine_sending
WHERE message_id = first_message_id;
