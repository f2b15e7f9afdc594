-- Grain: one row a rebuild of a day and Gold table that was published in the chosen time, the newest
-- 200. Key: day, gold_table, published_ts. Source: gold_backfill. Reads only. A day is rebuilt for all
-- stores and cameras.
SELECT
  CAST(day AS VARCHAR) AS day,
  gold_table,
  published_ts,
  replaced,
  keys_same,
  keys_changed,
  keys_only_published,
  keys_only_rebuilt
FROM lakehouse.rva.gold_backfill
WHERE
  published_ts BETWEEN with_timezone($__timeFrom(), 'UTC') AND with_timezone($__timeTo(), 'UTC')
ORDER BY published_ts DESC, day DESC, gold_table
LIMIT 200
