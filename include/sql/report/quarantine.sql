-- Grain: one row. What of a run is in quarantine. Parameter: run_id.
SELECT count(*)
FROM silver_quarantine
WHERE run_id = ?
