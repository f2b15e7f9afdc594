-- Declared ends of replays, as a stream beside the detections.
CREATE TEMPORARY TABLE arriving_ends (
  ts AS CAST(up_to_ts AS TIMESTAMP_LTZ(3))
) WITH (
  ${iceberg_source},
  'catalog-table' = 'gold_replay_end',
  'streaming' = 'true',
  'monitor-interval' = '${monitor_interval_seconds}s',
  'starting-strategy' = 'TABLE_SCAN_THEN_INCREMENTAL'
) LIKE lakehouse.${database}.gold_replay_end (EXCLUDING OPTIONS EXCLUDING CONSTRAINTS)
