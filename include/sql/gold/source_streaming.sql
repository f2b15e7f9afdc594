-- Person detections of Silver as a stream in the order of capture_ts: splits are handed out by
-- their lowest capture_ts, and the watermark trails by the lateness; rows behind it are left to
-- the nightly batch.
CREATE TEMPORARY TABLE detection_stream (
  ts AS CAST(capture_ts AS TIMESTAMP_LTZ(3)),
  WATERMARK FOR ts AS ts - INTERVAL '${lateness_seconds}' SECOND
) WITH (
  ${iceberg_source},
  'catalog-table' = 'silver_detection',
  'streaming' = 'true',
  'monitor-interval' = '${monitor_interval_seconds}s',
  'starting-strategy' = 'TABLE_SCAN_THEN_INCREMENTAL',
  'watermark-column' = 'capture_ts',
  'split-file-open-cost' = '134217728'
) LIKE lakehouse.${database}.silver_detection (EXCLUDING OPTIONS EXCLUDING CONSTRAINTS)
