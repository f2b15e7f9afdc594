-- Sums of Gold and counts of Silver's person rows, in the windows that are compared.
-- Grain: a day and a measure of Gold. Key: day, measure. Source: shown Gold, actual Silver.
-- Idempotent: made in a database of its own.
CREATE TABLE sum_of_day AS
WITH person AS (
  SELECT
    store_id, camera_id, zone_x, zone_y,
    time_bucket(INTERVAL 1 MINUTE, capture_ts) AS ts_minute,
    time_bucket(INTERVAL 1 HOUR, capture_ts) AS ts_hour
  FROM actual_silver_detection
  WHERE class_name = 'person'
    AND (
      getvariable('all_days')
      OR CAST(capture_ts AS DATE) IN (FROM gold_day)
    )
    AND is_proven(CAST(capture_ts AS DATE))
)
SELECT measure, day, CAST(sum(gold) AS BIGINT) AS gold, CAST(sum(silver) AS BIGINT) AS silver
FROM (
  SELECT
    'gold_people_per_minute.detections' AS measure, CAST(ts_minute AS DATE) AS day,
    detections AS gold, 0 AS silver
  FROM shown_gold_people_per_minute
  UNION ALL
  SELECT 'gold_people_per_minute.detections', CAST(ts_minute AS DATE), 0, 1
  FROM person
  ANTI JOIN left_out_gold_people_per_minute USING (store_id, camera_id, ts_minute)
  UNION ALL
  SELECT 'gold_zone_heatmap.hits', CAST(ts_hour AS DATE), hits, 0
  FROM shown_gold_zone_heatmap
  UNION ALL
  SELECT 'gold_zone_heatmap.hits', CAST(ts_hour AS DATE), 0, 1
  FROM person
  ANTI JOIN left_out_gold_zone_heatmap USING (store_id, camera_id, ts_hour, zone_x, zone_y)
)
GROUP BY measure, day;
