-- Grain: one row. A run's detections and tracks in Silver. Parameter: run_id.
SELECT count(*), count(DISTINCT track_id)
FROM silver_detection
WHERE run_id = ?
