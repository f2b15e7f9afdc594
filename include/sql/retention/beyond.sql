-- What ${table} has of the days before one, as its files tell; rows that a delete file takes out of a
-- data file count too.
-- Grain: one row. Source: the metadata tables of ${table}. Reads only. Values: the day, as text.
SELECT
  count(DISTINCT partition.${time}_day) AS days,
  coalesce(sum(CASE WHEN content = 0 THEN record_count END), 0) AS rows,
  count_if(content = 0) AS data_files,
  count_if(content <> 0) AS delete_files,
  min(partition.${time}_day) AS first_day,
  max(partition.${time}_day) AS last_day
FROM "${table}$$files"
WHERE partition.${time}_day < CAST(? AS date)
