-- Removes the rows that a quarantined detection has beyond its first, in one commit.
-- Source: quarantine_rows.sql. Idempotent: a detection with one row is left alone.
DELETE FROM silver_quarantine
WHERE (message_id, reason, detail, ingest_ts) IN (
  SELECT message_id, reason, detail, ingest_ts
  FROM (
    ${quarantine_rows}
  )
  WHERE ingest_ts > first_ts
)
