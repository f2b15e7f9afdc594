-- Silver as one would write it in SQL alone: Flink's JSON functions, behind the same key a frame.
-- Grain: one row a detection. Source: bronze_raw. Nothing is quarantined, nothing checked, and of a
-- frame only the first sending counts.
SELECT
  store_id, camera_id, run_id, frame_index,
  CAST(
    TO_TIMESTAMP(REPLACE(REPLACE(capture_ts, 'T', ' '), 'Z', ''), 'yyyy-MM-dd HH:mm:ss.SSS')
    AS TIMESTAMP_LTZ(6)
  ) AS capture_ts,
  det_id, stream_id, image_width, image_height, class_name, conf, x1, y1, x2, y2, track_id,
  LEAST(9, CAST((x1 + x2) / 2 * 10 / image_width AS INT)) AS zone_x,
  LEAST(9, CAST((y1 + y2) / 2 * 10 / image_height AS INT)) AS zone_y,
  ingest_ts
FROM (
  SELECT
    store_id, camera_id, run_id, frame_index, capture_ts, stream_id, ingest_ts,
    image_width, image_height,
    JSON_VALUE(detection, 'lax $.det_id') AS det_id,
    JSON_VALUE(detection, 'lax $.class') AS class_name,
    CAST(JSON_VALUE(detection, 'lax $.conf') AS DOUBLE) AS conf,
    CAST(JSON_VALUE(detection, 'lax $.bbox.x1') AS DOUBLE) AS x1,
    CAST(JSON_VALUE(detection, 'lax $.bbox.y1') AS DOUBLE) AS y1,
    CAST(JSON_VALUE(detection, 'lax $.bbox.x2') AS DOUBLE) AS x2,
    CAST(JSON_VALUE(detection, 'lax $.bbox.y2') AS DOUBLE) AS y2,
    CAST(JSON_VALUE(detection, 'lax $.track_id') AS BIGINT) AS track_id
  FROM (
    SELECT
      *,
      CAST(JSON_VALUE(message, 'lax $.image_size.width') AS INT) AS image_width,
      CAST(JSON_VALUE(message, 'lax $.image_size.height') AS INT) AS image_height,
      JSON_QUERY(message, 'lax $.detections' RETURNING ARRAY<STRING>) AS detections
    FROM (
      SELECT *, DECODE(payload, 'UTF-8') AS message
      FROM (
        SELECT
          *,
          ROW_NUMBER() OVER (
            PARTITION BY store_id, camera_id, run_id, frame_index, capture_ts
            ORDER BY arrived ASC
          ) AS sending
        FROM bronze_stream
      )
      WHERE sending = 1
    )
  )
  CROSS JOIN UNNEST(detections) AS found (detection)
)
