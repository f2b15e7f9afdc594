-- Grain: one row a camera of the store that was heard of in the last :days days. Key: camera_id.
-- Source: bronze_raw, silver_detection, by ingest_ts; gold_people_per_minute. Values: :store, :days.
-- Reads only. Each layer's newest time of capture, and when Bronze read its newest message.
WITH
bronze AS (
  SELECT
    camera_id,
    max(ingest_ts) AS received,
    max(TRY(from_iso8601_timestamp(capture_ts))) AS captured
  FROM lakehouse.{database}.bronze_raw
  WHERE store_id = :store
    AND camera_id IS NOT NULL
    AND ingest_ts >= current_timestamp - INTERVAL '1' DAY * :days
  GROUP BY camera_id
),
silver AS (
  SELECT camera_id, max(capture_ts) AS captured
  FROM lakehouse.{database}.silver_detection
  WHERE store_id = :store
    AND ingest_ts >= current_timestamp - INTERVAL '1' DAY * :days
  GROUP BY camera_id
),
gold AS (
  SELECT camera_id, max(ts_minute) AS captured
  FROM lakehouse.{database}.gold_people_per_minute
  WHERE store_id = :store
  GROUP BY camera_id
)
SELECT
  bronze.camera_id,
  bronze.received,
  bronze.captured AS in_bronze,
  silver.captured AS in_silver,
  gold.captured AS in_gold
FROM bronze
LEFT JOIN silver ON silver.camera_id = bronze.camera_id
LEFT JOIN gold ON gold.camera_id = bronze.camera_id
ORDER BY bronze.camera_id
