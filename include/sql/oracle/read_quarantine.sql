-- silver_quarantine as it is read. Grain and key: those of the table. Columns: those that
-- are read. Idempotent: made in a database of its own.
CREATE TABLE read_quarantine (
  store_id VARCHAR,
  camera_id VARCHAR,
  reason VARCHAR,
  detail VARCHAR,
  payload VARCHAR,
  ingest_ts TIMESTAMP,
  run_id VARCHAR,
  message_id BLOB,
  replayed_ts TIMESTAMP
);
