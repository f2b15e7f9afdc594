-- What ${table} is made of. Days are those of its partitions.
-- Grain: one row. Source: the metadata tables of ${table}. Reads only.
-- Values: the day since which the files of a day are not counted; null where all are.
WITH
files AS (
  SELECT content, partition, file_size_in_bytes
  FROM "${table}$$files"
),
days AS (
  SELECT
    partition,
    count_if(content = 0) AS data_files,
    count_if(content <> 0) AS delete_files
  FROM files
  WHERE coalesce(partition.${time}_day < CAST(? AS date), true)
  GROUP BY partition
)
SELECT
  (SELECT count_if(content = 0) FROM files) AS data_files,
  (SELECT count_if(content <> 0) FROM files) AS delete_files,
  (SELECT coalesce(sum(file_size_in_bytes), 0) / 1048576e0 FROM files) AS mib,
  (SELECT coalesce(max(data_files), 0) FROM days) AS most_data_files_a_day,
  (SELECT coalesce(max(delete_files), 0) FROM days) AS most_delete_files_a_day,
  (SELECT count(*) FROM "${table}$$snapshots") AS snapshots,
  -- a compaction changes no row, and days are let go whether or not a job writes
  (
    SELECT max(committed_at)
    FROM "${table}$$snapshots"
    WHERE operation NOT IN ('replace', 'delete')
  ) AS newest_commit
