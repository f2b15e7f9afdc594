-- Which rows of Silver and its quarantine are compared: those in scope. Grain and key: theirs.
-- Setting: run_id, null for all. What is shown of a day was read as a day's.
-- Idempotent: made in a database of its own.
CREATE VIEW expected_silver_detection AS
FROM silver_detection
WHERE in_scope;

CREATE VIEW shown_silver_detection AS
FROM actual_silver_detection
WHERE getvariable('run_id') IS NULL OR run_id = getvariable('run_id');

CREATE VIEW expected_silver_quarantine AS
FROM silver_quarantine
WHERE in_scope;

CREATE VIEW shown_silver_quarantine AS
FROM actual_silver_quarantine;
