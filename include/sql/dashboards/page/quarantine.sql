-- Grain: one row a reason of those that Bronze received in the last :days days. Key: reason.
-- Source: silver_quarantine. Values: :store, :camera, :days. Reads only.
-- Rows of which no store or camera can be read are everybody's.
SELECT
  reason,
  count(*) AS quarantined,
  count_if(replayed_ts IS NOT NULL) AS replayed,
  min(ingest_ts) AS first_received,
  max(ingest_ts) AS last_received
FROM lakehouse.{database}.silver_quarantine
WHERE (store_id = :store OR store_id IS NULL)
  AND (camera_id = :camera OR camera_id IS NULL)
  AND ingest_ts >= current_timestamp - INTERVAL '1' DAY * :days
GROUP BY reason
ORDER BY quarantined DESC, reason
