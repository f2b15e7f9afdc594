-- Notes when rows of the quarantine were replayed. Twice is as once, save for the time.
-- Grain: one row a quarantined message or detection. Target: silver_quarantine.
-- Values: the time; first and last ingest_ts of the rows; the rows as an array of the SHA-256
--   of message id in upper-case hex, reason and detail, with a space between.
UPDATE silver_quarantine
SET replayed_ts = ?
WHERE ingest_ts BETWEEN ? AND ?
  AND sha256(to_utf8(concat_ws(' ', to_hex(message_id), reason, detail))) IN (
    SELECT row_hash FROM UNNEST(?) AS t (row_hash)
  )
