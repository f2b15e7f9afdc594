-- The UTC days of which Silver has other person detections now than when Gold was last rebuilt: late
-- arrivals, repairs, erasures; and the days with detections that no batch has rebuilt yet.
-- Grain: one row a day, the oldest first. Source: silver_detection, gold_backfill. Reads only.
-- What is compared is the count of the day and an hour either side, as in silver_rows.sql.
-- Values: the first day and the first that is not looked at, as text, three times.
WITH
hours AS (
  SELECT date_trunc('hour', capture_ts AT TIME ZONE 'UTC') AS hour, count(*) AS detections
  FROM silver_detection
  WHERE class_name = 'person'
    AND capture_ts >= with_timezone(CAST(? AS timestamp(6)), 'UTC') - INTERVAL '1' HOUR
    AND capture_ts < with_timezone(CAST(? AS timestamp(6)), 'UTC') + INTERVAL '1' HOUR
  GROUP BY 1
),
silver AS (
  SELECT
    day,
    sum(detections) AS silver_rows,
    sum(detections) FILTER (WHERE CAST(hour AS date) = day) AS own_rows
  FROM hours
  CROSS JOIN UNNEST(
    array_distinct(
      ARRAY[
        CAST(hour - INTERVAL '1' HOUR AS date),
        CAST(hour AS date),
        CAST(hour + INTERVAL '1' HOUR AS date)
      ]
    )
  ) AS touched (day)
  WHERE day >= CAST(? AS date) AND day < CAST(? AS date)
  GROUP BY day
),
rebuilt AS (
  SELECT day, max_by(silver_rows, published_ts) AS silver_rows
  FROM gold_backfill
  WHERE day >= CAST(? AS date) AND day < CAST(? AS date)
  GROUP BY day
)
SELECT
  coalesce(silver.day, rebuilt.day) AS day,
  coalesce(silver.silver_rows, 0) AS silver_rows,
  rebuilt.silver_rows AS rebuilt_rows
FROM silver
FULL JOIN rebuilt ON silver.day = rebuilt.day
WHERE coalesce(silver.silver_rows, 0) IS DISTINCT FROM rebuilt.silver_rows
  AND (silver.own_rows > 0 OR rebuilt.silver_rows > 0)
ORDER BY day
