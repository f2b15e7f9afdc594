-- Grain: one row a reason. Key: reason. Source: silver_quarantine. Reads only. The time is that
-- of ingestion: what could not be used may have no time of its own. What has no store or camera
-- shows only while all of them are chosen.
SELECT
  reason,
  COUNT(*) AS quarantined,
  COUNT(DISTINCT (store_id, camera_id)) FILTER (WHERE camera_id IS NOT NULL) AS cameras,
  MIN(ingest_ts) AS first_seen,
  MAX(ingest_ts) AS last_seen
FROM lakehouse.rva.silver_quarantine
WHERE
  ingest_ts BETWEEN with_timezone($__timeFrom(), 'UTC') AND with_timezone($__timeTo(), 'UTC')
  AND ('__all' IN ($store) OR store_id IN ($store))
  AND ('__all' IN ($camera) OR camera_id IN ($camera))
GROUP BY reason
ORDER BY quarantined DESC, reason
