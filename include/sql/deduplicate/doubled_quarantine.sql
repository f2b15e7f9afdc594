-- How many rows silver_quarantine has beyond one for each quarantined detection.
-- Grain: one row. Source: quarantine_rows.sql. Reads only.
SELECT count(*) AS surplus
FROM (
  ${quarantine_rows}
)
WHERE number > 1
