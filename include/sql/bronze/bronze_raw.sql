-- Grain: one row a message received. Key: message_id. Source: Pulsar.
-- Columns come from the message's properties; the payload is parsed only where one is missing.
-- Paths are lax: in strict mode, the default, JSON_VALUE writes out an object or array that stands
-- where a text should, and one that is nested thousands of levels deep ends the job each time.
-- Idempotent: the position in the topic is part of the job's checkpoints; commits follow them.
SELECT
  store_id,
  camera_id,
  stream_id,
  CASE
    WHEN properties['run_id'] IS NOT NULL THEN properties['run_id']
    ELSE COALESCE(JSON_VALUE(DECODE(payload, 'UTF-8'), 'lax $.run_id'), stream_id)
  END AS run_id,
  frame_index,
  capture_ts,
  payload,
  message_id,
  publish_ts,
  ingest_ts
FROM (
  SELECT
    CASE
      WHEN properties['store_id'] IS NOT NULL THEN properties['store_id']
      ELSE JSON_VALUE(DECODE(payload, 'UTF-8'), 'lax $.source.store_id')
    END AS store_id,
    CASE
      WHEN properties['camera_id'] IS NOT NULL THEN properties['camera_id']
      ELSE JSON_VALUE(DECODE(payload, 'UTF-8'), 'lax $.source.camera_id')
    END AS camera_id,
    CASE
      WHEN properties['stream_id'] IS NOT NULL THEN properties['stream_id']
      ELSE JSON_VALUE(DECODE(payload, 'UTF-8'), 'lax $.source.stream_id')
    END AS stream_id,
    TRY_CAST(CASE
      WHEN properties['frame_index'] IS NOT NULL THEN properties['frame_index']
      ELSE JSON_VALUE(DECODE(payload, 'UTF-8'), 'lax $.frame_index')
    END AS BIGINT) AS frame_index,
    CASE
      WHEN properties['capture_ts'] IS NOT NULL THEN properties['capture_ts']
      ELSE JSON_VALUE(DECODE(payload, 'UTF-8'), 'lax $.capture_ts')
    END AS capture_ts,
    properties,
    payload,
    message_id,
    CAST(publish_time AS TIMESTAMP_LTZ(6)) AS publish_ts,
    CAST(CURRENT_TIMESTAMP AS TIMESTAMP_LTZ(6)) AS ingest_ts
  FROM frame_events
)
