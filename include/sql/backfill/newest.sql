-- The newest rebuilds of days of Gold, and what they found.
-- Grain: one row a Gold table and rebuild, the newest first. Source: gold_backfill. Reads only.
-- Values: none. Forty rows are ten rebuilds of four tables.
SELECT
  day,
  gold_table AS "table",
  published_ts AS published,
  rows,
  replaced,
  keys_same AS same,
  keys_changed AS changed,
  keys_only_published AS "no more",
  keys_only_rebuilt AS "missing"
FROM gold_backfill
ORDER BY published_ts DESC, gold_table
LIMIT 40
