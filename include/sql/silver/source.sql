-- Bronze as a stream: rows that are there first, then each new snapshot.
-- Without the starting strategy Flink begins at the newest snapshot and skips the rest silently.
-- Files are read one by one in the order of ingest_ts: in any other, Silver's rows would lie behind
-- the watermark of streaming Gold.
CREATE TEMPORARY TABLE bronze_stream (
  arrived AS PROCTIME()
) WITH (
  ${iceberg_source},
  'catalog-table' = 'bronze_raw',
  'streaming' = 'true',
  'monitor-interval' = '${monitor_interval_seconds}s',
  'starting-strategy' = 'TABLE_SCAN_THEN_INCREMENTAL',
  'watermark-column' = 'ingest_ts',
  'split-file-open-cost' = '134217728'
) LIKE lakehouse.${database}.bronze_raw (EXCLUDING OPTIONS EXCLUDING CONSTRAINTS)
