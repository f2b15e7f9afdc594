-- Detections of Silver as a stream in the order in which they arrived: a file is read after
-- those that hold earlier arrivals, now as in every reading again, so that the same rows are behind
-- the watermark. By capture_ts a file with one straggler would come before files that are older than
-- the rest of it, and push them behind the watermark, which arrivals.sql tells.
CREATE TEMPORARY TABLE arriving_detections (
  ts AS CAST(capture_ts AS TIMESTAMP_LTZ(3))
) WITH (
  ${iceberg_source},
  'catalog-table' = 'silver_detection',
  'streaming' = 'true',
  'monitor-interval' = '${monitor_interval_seconds}s',
  'starting-strategy' = 'TABLE_SCAN_THEN_INCREMENTAL',
  'watermark-column' = 'ingest_ts',
  'split-file-open-cost' = '134217728'
) LIKE lakehouse.${database}.silver_detection (EXCLUDING OPTIONS EXCLUDING CONSTRAINTS)
