-- Grain: one row. Key: none.
-- Source: silver_detection, gold_people_per_minute, gold_zone_heatmap, gold_late_events.
-- Values: :store, :camera, :begin, :end (UTC, end excluded). Reads only.
-- The three counts of a camera's person detections must be equal. What streaming Gold left out as
-- too late, and the newest of each, say why they may not be so yet.
WITH
silver AS (
  SELECT
    count(*) AS detections, max(ingest_ts) AS received, max(capture_ts) AS captured
  FROM lakehouse.{database}.silver_detection
  WHERE class_name = 'person'
    AND store_id = :store
    AND camera_id = :camera
    AND capture_ts >= with_timezone(date_trunc('hour', CAST(:begin AS timestamp(6))), 'UTC')
    AND capture_ts < with_timezone(CAST(:end AS timestamp(6)), 'UTC')
),
minutes AS (
  SELECT coalesce(sum(detections), 0) AS detections, max(ts_minute) AS newest
  FROM lakehouse.{database}.gold_people_per_minute
  WHERE store_id = :store
    AND camera_id = :camera
    AND ts_minute >= with_timezone(date_trunc('hour', CAST(:begin AS timestamp(6))), 'UTC')
    AND ts_minute < with_timezone(CAST(:end AS timestamp(6)), 'UTC')
),
heatmap AS (
  SELECT coalesce(sum(hits), 0) AS hits, max(ts_hour) AS newest
  FROM lakehouse.{database}.gold_zone_heatmap
  WHERE store_id = :store
    AND camera_id = :camera
    AND ts_hour >= with_timezone(date_trunc('hour', CAST(:begin AS timestamp(6))), 'UTC')
    AND ts_hour < with_timezone(CAST(:end AS timestamp(6)), 'UTC')
),
late AS (
  SELECT
    coalesce(max(detections) FILTER (WHERE gold_table = 'gold_people_per_minute'), 0) AS of_minutes,
    coalesce(max(detections) FILTER (WHERE gold_table = 'gold_zone_heatmap'), 0) AS of_heatmap
  FROM (
    SELECT gold_table, sum(detections) AS detections
    FROM lakehouse.{database}.gold_late_events
    WHERE store_id = :store
      AND camera_id = :camera
      AND ts_hour >= with_timezone(date_trunc('hour', CAST(:begin AS timestamp(6))), 'UTC')
      AND ts_hour < with_timezone(CAST(:end AS timestamp(6)), 'UTC')
    GROUP BY gold_table
  )
)
SELECT
  silver.detections AS silver_detections,
  minutes.detections AS people_per_minute_detections,
  heatmap.hits AS zone_heatmap_hits,
  late.of_minutes AS late_of_minutes,
  late.of_heatmap AS late_of_heatmap,
  silver.received AS silver_received,
  silver.captured AS silver_captured,
  minutes.newest AS newest_minute,
  heatmap.newest AS newest_hour
FROM silver
CROSS JOIN minutes
CROSS JOIN heatmap
CROSS JOIN late
