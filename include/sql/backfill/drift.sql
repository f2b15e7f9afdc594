-- How a day of ${table} as it is published differs from what the batch wrote (snapshot ${rebuilt}).
-- Grain: one row. Numbers of floating point are the same up to the order in which they were summed.
-- Reads only. Values: none; ${first} and ${first_not} are the day's borders.
SELECT
  count_if(p.${first_key} IS NOT NULL AND r.${first_key} IS NOT NULL AND ${same}) AS keys_same,
  count_if(p.${first_key} IS NOT NULL AND r.${first_key} IS NOT NULL AND NOT ${same}) AS keys_changed,
  count_if(r.${first_key} IS NULL) AS keys_only_published,
  count_if(p.${first_key} IS NULL) AS keys_only_rebuilt
FROM (
  SELECT *
  FROM ${table}
  WHERE ${time} >= ${first} AND ${time} < ${first_not}
) AS p
FULL JOIN (
  SELECT *
  FROM ${table} FOR VERSION AS OF ${rebuilt}
  WHERE ${time} >= ${first} AND ${time} < ${first_not}
) AS r
ON ${same_key}
