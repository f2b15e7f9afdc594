-- Grain: one row a reason and minute of receipt in which something could not be used. Key: time,
-- reason. Source: silver_quarantine. Reads only. What has no store or camera shows only while all of
-- them are chosen.
SELECT
  date_trunc('minute', ingest_ts) AS time,
  reason,
  COUNT(*) AS quarantined
FROM lakehouse.rva.silver_quarantine
WHERE
  ingest_ts BETWEEN with_timezone($__timeFrom(), 'UTC') AND with_timezone($__timeTo(), 'UTC')
  AND ('__all' IN ($store) OR store_id IN ($store))
  AND ('__all' IN ($camera) OR camera_id IN ($camera))
GROUP BY date_trunc('minute', ingest_ts), reason
ORDER BY time, reason
