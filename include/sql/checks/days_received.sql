-- Check: on which UTC days Bronze received a capture; its checks are about these.
-- Grain: one row a day, the first one first.
-- Key: (store_id, camera_id, run_id) of the capture.
-- Source: bronze_raw. Values: :store_id, :camera_id, :run_id.
-- Idempotent: reads only.
SELECT DISTINCT CAST(CAST(ingest_ts AT TIME ZONE 'UTC' AS date) AS varchar) AS day
FROM lakehouse.{database}.bronze_raw
WHERE store_id = :store_id
  AND camera_id = :camera_id
  AND run_id = :run_id
ORDER BY day
