-- Which rows of Silver and its quarantine are compared: those in scope. Grain and key: theirs.
-- Setting: run_id, null for all. What is shown of a day was read as a day's. What a layer has let go
-- is in neither (let_go.sql).
-- Idempotent: made in a database of its own.
CREATE VIEW expected_silver_detection AS
FROM silver_detection
ANTI JOIN received_before USING (store_id, camera_id, run_id, frame_index, capture_ts, det_id)
WHERE in_scope AND capture_ts >= getvariable('silver_since');

CREATE VIEW shown_silver_detection AS
FROM actual_silver_detection
ANTI JOIN received_before USING (store_id, camera_id, run_id, frame_index, capture_ts, det_id)
WHERE (getvariable('run_id') IS NULL OR run_id = getvariable('run_id'))
  AND capture_ts >= getvariable('silver_since');

CREATE VIEW expected_silver_quarantine AS
FROM silver_quarantine
WHERE in_scope;

CREATE VIEW shown_silver_quarantine AS
FROM actual_silver_quarantine;
