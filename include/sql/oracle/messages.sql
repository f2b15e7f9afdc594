-- What the independent reader has read. Filled by lakehouse.proving; everything else here is
-- computed from it. Grain: message, one row a message of bronze_raw (or a line of a file);
-- detection_read and detection_rejected, one row an entry of a usable frame's `detections`.
-- Key: number, in the order of reading; place counts from 0 in the message.
-- Times are UTC without a zone. Of an unusable message, reason and payload are set and the rest
-- as far as known; the payload of a usable one is not kept.
CREATE TABLE message (
  number BIGINT,
  message_id BLOB,
  ingest_ts TIMESTAMP,
  in_scope BOOLEAN,
  reason VARCHAR,
  store_id VARCHAR,
  camera_id VARCHAR,
  stream_id VARCHAR,
  run_id VARCHAR,
  frame_index BIGINT,
  capture_ts TIMESTAMP,
  image_width INTEGER,
  image_height INTEGER,
  payload VARCHAR
);

CREATE TABLE detection_read (
  number BIGINT,
  place INTEGER,
  det_id VARCHAR,
  class_name VARCHAR,
  x1 DOUBLE,
  y1 DOUBLE,
  x2 DOUBLE,
  y2 DOUBLE,
  conf DOUBLE,
  track_id BIGINT
);

CREATE TABLE detection_rejected (
  number BIGINT,
  place INTEGER,
  reason VARCHAR,
  payload VARCHAR
);

-- How far Silver's capture_ts had come when a message arrived: what streaming Gold's watermark
-- follows. Grain: an ingest_ts. Stays empty where no day is open.
CREATE TABLE pace (arrived TIMESTAMP, latest TIMESTAMP);

CREATE VIEW message_in_scope AS
FROM message
WHERE in_scope;
