-- Frames of the files that were published, and those that Bronze has of the same runs.
-- Grain: a frame. Key: store_id, camera_id, run_id, frame_index, capture_ts.
-- Source: published (usable lines of the files), message. Both are in scope.
-- Of frames that were captured before what bronze_raw keeps (let_go.sql), nothing is said.
-- Idempotent: made in a database of its own.
CREATE TABLE published_frame AS
SELECT DISTINCT store_id, camera_id, run_id, frame_index, capture_ts
FROM published
WHERE capture_ts >= getvariable('bronze_since');

CREATE TABLE bronze_frame AS
SELECT DISTINCT store_id, camera_id, run_id, frame_index, capture_ts
FROM message
SEMI JOIN published USING (store_id, camera_id, run_id)
WHERE reason IS NULL AND in_scope AND capture_ts >= getvariable('bronze_since');

INSERT INTO difference ("table", kind, columns, store_id, camera_id, run_id, frame_index, capture_ts)
SELECT 'bronze_raw', 'missing', '', * FROM (FROM published_frame EXCEPT FROM bronze_frame)
UNION ALL
SELECT 'bronze_raw', 'surplus', '', * FROM (FROM bronze_frame EXCEPT FROM published_frame);

CREATE TABLE published_difference AS
SELECT
  count(*) FILTER (kind = 'missing') AS missing,
  count(*) FILTER (kind = 'surplus') AS surplus
FROM difference
WHERE "table" = 'bronze_raw';
