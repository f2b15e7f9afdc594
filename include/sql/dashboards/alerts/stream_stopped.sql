-- Grain: one row a streaming job that has ever committed. Key: job. Source: the metadata tables of
-- bronze_raw, silver_detection and gold_people_per_minute. Reads only. A job that runs commits at
-- least every tenth checkpoint, also where nothing came. Batches and maintenance do not count.
-- Limit: seconds_since_commit = 900. Ten checkpoints of compose's 60 s, and the five minutes within
-- which keep_streams_running brings a dead job back.
SELECT
  layer,
  job,
  date_diff('second', MAX(committed_at), with_timezone($__timeTo(), 'UTC')) AS seconds_since_commit
FROM (
  SELECT 'Bronze' AS layer, 'bronze_ingest' AS job, committed_at, summary
  FROM lakehouse.rva."bronze_raw$snapshots"
  UNION ALL
  SELECT 'Silver' AS layer, 'silver_detections' AS job, committed_at, summary
  FROM lakehouse.rva."silver_detection$snapshots"
  UNION ALL
  SELECT 'Gold' AS layer, 'gold_streaming' AS job, committed_at, summary
  FROM lakehouse.rva."gold_people_per_minute$snapshots"
)
WHERE
  -- null for all that is not Flink, the greatest number for a batch
  element_at(summary, 'flink.max-committed-checkpoint-id') <> '9223372036854775807'
GROUP BY layer, job
ORDER BY job
