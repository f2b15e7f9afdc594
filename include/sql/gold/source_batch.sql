-- Person detections of Silver, bounded.
CREATE TEMPORARY TABLE detection_stream (
  ts AS CAST(capture_ts AS TIMESTAMP_LTZ(3))
) WITH (
  ${iceberg_source},
  'catalog-table' = 'silver_detection'
) LIKE lakehouse.${database}.silver_detection (EXCLUDING OPTIONS EXCLUDING CONSTRAINTS)
