-- How many rows of a day Silver has beyond one for each detection, and for how many detections.
-- Grain: one row. Key of a detection: as in silver_detection. Reads only.
-- `same`: rows with the first row's ingest_ts too; they cannot be told from it.
-- Values: first and first-not capture_ts of the day.
SELECT
  count(*) AS detections,
  coalesce(sum(number - 1), 0) AS surplus,
  coalesce(sum(of_first - 1), 0) AS same
FROM (
  SELECT
    count(*) AS number,
    count_if(ingest_ts = first_ts) AS of_first
  FROM (
    SELECT
      store_id, camera_id, run_id, frame_index, capture_ts, det_id, ingest_ts,
      min(ingest_ts) OVER (
        PARTITION BY store_id, camera_id, run_id, frame_index, capture_ts, det_id
      ) AS first_ts
    FROM silver_detection
    WHERE capture_ts >= ? AND capture_ts < ?
  )
  GROUP BY store_id, camera_id, run_id, frame_index, capture_ts, det_id
  HAVING count(*) > 1
)
