-- Person detections of Silver, bounded; of one snapshot, where one is named.
CREATE TEMPORARY TABLE detection_stream (
  ts AS CAST(capture_ts AS TIMESTAMP_LTZ(3))
) WITH (
  ${iceberg_source},
  'catalog-table' = 'silver_detection'${snapshot}
) LIKE lakehouse.${database}.silver_detection (EXCLUDING OPTIONS EXCLUDING CONSTRAINTS)
