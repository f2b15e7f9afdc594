-- Grain: one row. A run's distinct frames and its messages in Bronze. Parameter: run_id.
SELECT count(DISTINCT (frame_index, capture_ts)), count(*)
FROM bronze_raw
WHERE run_id = ?
