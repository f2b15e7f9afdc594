-- Grain: one row. Source: bronze_raw, silver_detection, silver_quarantine. Reads only. All by the
-- time of receipt, which is Bronze's in all of them. The share is of messages of which something
-- could not be used; null where none came.
-- Limit: quarantine_share as in dashboards/alerts/quarantine_share.sql.
SELECT
  received.messages,
  received.cameras,
  usable.detections,
  refused.quarantined,
  CAST(refused.messages AS DOUBLE) / NULLIF(received.messages, 0) AS quarantine_share
FROM (
  SELECT
    COUNT(*) AS messages,
    COUNT(DISTINCT (store_id, camera_id)) FILTER (WHERE camera_id IS NOT NULL) AS cameras
  FROM lakehouse.rva.bronze_raw
  WHERE
    ingest_ts BETWEEN with_timezone($__timeFrom(), 'UTC') AND with_timezone($__timeTo(), 'UTC')
    AND ('__all' IN ($store) OR store_id IN ($store))
    AND ('__all' IN ($camera) OR camera_id IN ($camera))
) AS received
CROSS JOIN (
  SELECT COUNT(*) AS detections
  FROM lakehouse.rva.silver_detection
  WHERE
    ingest_ts BETWEEN with_timezone($__timeFrom(), 'UTC') AND with_timezone($__timeTo(), 'UTC')
    AND ('__all' IN ($store) OR store_id IN ($store))
    AND ('__all' IN ($camera) OR camera_id IN ($camera))
) AS usable
CROSS JOIN (
  SELECT
    COUNT(*) AS quarantined,
    COUNT(DISTINCT message_id) AS messages
  FROM lakehouse.rva.silver_quarantine
  WHERE
    ingest_ts BETWEEN with_timezone($__timeFrom(), 'UTC') AND with_timezone($__timeTo(), 'UTC')
    AND ('__all' IN ($store) OR store_id IN ($store))
    AND ('__all' IN ($camera) OR camera_id IN ($camera))
) AS refused
