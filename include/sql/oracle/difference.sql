-- What differs, of all tables. Grain: a key and a kind. Key: table, kind and the columns that are
-- the table's key; the others are null. Filled by compare.sql, published_frames.sql and
-- doubled_messages.sql. Idempotent: made in a database of its own.
CREATE TABLE difference (
  "table" VARCHAR,
  kind VARCHAR,
  columns VARCHAR,
  store_id VARCHAR,
  camera_id VARCHAR,
  run_id VARCHAR,
  frame_index BIGINT,
  capture_ts TIMESTAMP,
  det_id VARCHAR,
  message_id BLOB,
  place INTEGER,
  ts_minute TIMESTAMP,
  track_id BIGINT,
  start_ts TIMESTAMP,
  ts_hour TIMESTAMP,
  zone_x INTEGER,
  zone_y INTEGER
);
