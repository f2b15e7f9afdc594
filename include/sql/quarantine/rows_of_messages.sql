-- Every row of the quarantine that these messages have.
-- Grain: one row a quarantined message or detection. Source: silver_quarantine. Reads only.
-- Values: message ids as an array.
SELECT message_id, reason, detail, payload, ingest_ts, replayed_ts, store_id, camera_id, run_id
FROM silver_quarantine
WHERE message_id IN (SELECT id FROM UNNEST(?) AS t (id))
