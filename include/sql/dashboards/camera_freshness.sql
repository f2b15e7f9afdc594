-- Grain: one row a camera of which a message came: its newest in each layer. Key: camera. Source:
-- bronze_raw and silver_detection, by the time of receipt; gold_people_per_minute, by the minute.
-- Reads only. A frame with nobody leaves no row behind Bronze, so Silver and Gold may rightly stand
-- still. Nulls where there is none in the chosen time.
-- Limit: to_bronze_seconds as late_seconds in checks/bronze/freshness.sql.
-- Limit: silver_to_gold_seconds as late_seconds in checks/gold/freshness.sql.
WITH received AS (
  SELECT
    store_id,
    camera_id,
    MAX(ingest_ts) AS ingest_ts,
    MAX(TRY(from_iso8601_timestamp(capture_ts))) AS capture_ts
  FROM lakehouse.rva.bronze_raw
  WHERE
    ingest_ts BETWEEN with_timezone($__timeFrom(), 'UTC') AND with_timezone($__timeTo(), 'UTC')
    AND store_id IS NOT NULL
    AND camera_id IS NOT NULL
    AND ('__all' IN ($store) OR store_id IN ($store))
    AND ('__all' IN ($camera) OR camera_id IN ($camera))
  GROUP BY store_id, camera_id
),
usable AS (
  SELECT
    store_id,
    camera_id,
    MAX(ingest_ts) AS ingest_ts,
    MAX(capture_ts) AS capture_ts,
    MAX(capture_ts) FILTER (WHERE class_name = 'person') AS person_ts
  FROM lakehouse.rva.silver_detection
  WHERE ingest_ts BETWEEN with_timezone($__timeFrom(), 'UTC') AND with_timezone($__timeTo(), 'UTC')
  GROUP BY store_id, camera_id
),
minutes AS (
  SELECT
    store_id,
    camera_id,
    MAX(ts_minute) AS ts_minute
  FROM lakehouse.rva.gold_people_per_minute
  WHERE ts_minute BETWEEN with_timezone($__timeFrom(), 'UTC') AND with_timezone($__timeTo(), 'UTC')
  GROUP BY store_id, camera_id
)
SELECT
  received.store_id || '/' || received.camera_id AS camera,
  received.capture_ts AS bronze_capture_ts,
  received.ingest_ts AS bronze_ingest_ts,
  date_diff('second', received.capture_ts, received.ingest_ts) AS to_bronze_seconds,
  usable.capture_ts AS silver_capture_ts,
  usable.ingest_ts AS silver_ingest_ts,
  minutes.ts_minute AS gold_minute,
  date_diff('second', minutes.ts_minute, usable.person_ts) AS silver_to_gold_seconds
FROM received
LEFT JOIN usable
  ON usable.store_id = received.store_id AND usable.camera_id = received.camera_id
LEFT JOIN minutes
  ON minutes.store_id = received.store_id AND minutes.camera_id = received.camera_id
ORDER BY camera
