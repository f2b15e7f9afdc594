-- Grain: one row a table that has rows, in the order of the layers: its newest commit. Key:
-- table_name. Source: the metadata tables of Bronze, Silver and Gold. Reads only. For all stores and
-- cameras; of the time picker only the end counts. Compaction changes no row and does not count, nor
-- does letting old days go. checkpoint_id is Flink's; a batch has none.
-- Limit: seconds_since_commit as in dashboards/alerts/stream_stopped.sql.
SELECT
  layer,
  table_name,
  MAX(committed_at) AS newest_commit,
  date_diff('second', MAX(committed_at), with_timezone($__timeTo(), 'UTC')) AS seconds_since_commit,
  MAX_BY(operation, committed_at) AS operation,
  MAX_BY(
    COALESCE(TRY_CAST(element_at(summary, 'added-records') AS BIGINT), 0), committed_at
  ) AS added_records,
  MAX_BY(
    NULLIF(element_at(summary, 'flink.max-committed-checkpoint-id'), '9223372036854775807'),
    committed_at
  ) AS checkpoint_id,
  MAX_BY(element_at(summary, 'flink.job-id'), committed_at) AS job_id
FROM (
  SELECT 1 AS place, 'Bronze' AS layer, 'bronze_raw' AS table_name, committed_at, operation, summary
  FROM lakehouse.rva."bronze_raw$snapshots"
  UNION ALL
  SELECT 2 AS place, 'Silver' AS layer, 'silver_detection' AS table_name, committed_at, operation, summary
  FROM lakehouse.rva."silver_detection$snapshots"
  UNION ALL
  SELECT 3 AS place, 'Silver' AS layer, 'silver_quarantine' AS table_name, committed_at, operation, summary
  FROM lakehouse.rva."silver_quarantine$snapshots"
  UNION ALL
  SELECT 4 AS place, 'Gold' AS layer, 'gold_people_per_minute' AS table_name, committed_at, operation, summary
  FROM lakehouse.rva."gold_people_per_minute$snapshots"
  UNION ALL
  SELECT 5 AS place, 'Gold' AS layer, 'gold_track_summary' AS table_name, committed_at, operation, summary
  FROM lakehouse.rva."gold_track_summary$snapshots"
  UNION ALL
  SELECT 6 AS place, 'Gold' AS layer, 'gold_zone_dwell' AS table_name, committed_at, operation, summary
  FROM lakehouse.rva."gold_zone_dwell$snapshots"
  UNION ALL
  SELECT 7 AS place, 'Gold' AS layer, 'gold_zone_heatmap' AS table_name, committed_at, operation, summary
  FROM lakehouse.rva."gold_zone_heatmap$snapshots"
)
WHERE operation NOT IN ('replace', 'delete')
GROUP BY place, layer, table_name
ORDER BY place
