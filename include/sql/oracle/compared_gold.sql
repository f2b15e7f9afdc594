-- Which rows of a Gold table are compared: those of the days, save what is left out
-- (left_out.sql), and the days of which something was let go (let_go.sql). Grain and key: those of the table. Source: ${table}, actual_${table}, gold_day.
-- Idempotent: made in a database of its own.
CREATE VIEW expected_${table} AS
SELECT compared.*
FROM ${table} AS compared
ANTI JOIN left_out_${table} USING (${key})
WHERE (getvariable('all_days') OR CAST(${time} AS DATE) IN (FROM gold_day))
  AND is_proven(CAST(${time} AS DATE));

CREATE VIEW shown_${table} AS
SELECT compared.*
FROM actual_${table} AS compared
ANTI JOIN left_out_${table} USING (${key})
WHERE (getvariable('all_days') OR CAST(${time} AS DATE) IN (FROM gold_day))
  AND is_proven(CAST(${time} AS DATE));
