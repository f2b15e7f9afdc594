-- Check: every detection of the frames that were captured in the day is in Silver or in quarantine.
-- Severity: fail. Silver has lost those that are in neither; `make prove` names them.
-- Limit: :on_the_way_seconds = 300. What Bronze has read since may still be on its way.
-- Grain: one row; a violation is a frame that lacks some.
-- Key: (store_id, camera_id, run_id, frame_index, capture_ts), as the message has them; of several
--   sendings of a frame the one with the most detections counts. A message of which a row in
--   quarantine says that it is unusable is no frame (messages_accounted_for.sql).
-- Source: bronze_raw, by capture_ts as text, of which Iceberg keeps the least and the greatest of each
--   file; silver_detection, by capture_ts; silver_quarantine, of which no row tells when its frame was
--   captured. Values: :day (2026-11-24).
-- Nothing is checked of a day before :kept_since, the first that all of these tables have whole.
-- Parts: by capture_ts, even parts of the day.
-- Idempotent: reads only.
WITH
quarantined AS (
  SELECT
    message_id,
    count_if(reason LIKE 'detection_%') AS detections,
    count_if(reason LIKE 'message_%') AS messages
  FROM silver_quarantine
  GROUP BY message_id
),
received AS (
  SELECT message_id, TRY(json_parse(from_utf8(payload))) AS message
  FROM bronze_raw
  WHERE capture_ts >= date_format(
      CAST(:day AS timestamp(6)) + INTERVAL '1' SECOND * (86400 * :part / :parts), '%Y-%m-%dT%H:%i:%s'
    )
    AND capture_ts < date_format(
      CAST(:day AS timestamp(6)) + INTERVAL '1' SECOND * (86400 * (:part + 1) / :parts), '%Y-%m-%dT%H:%i:%s'
    )
    AND ingest_ts < current_timestamp - INTERVAL '1' SECOND * :on_the_way_seconds
    AND :day >= :kept_since
),
sendings AS (
  SELECT
    received.message_id,
    json_extract_scalar(message, '$.source.store_id') AS store_id,
    json_extract_scalar(message, '$.source.camera_id') AS camera_id,
    coalesce(
      json_extract_scalar(message, '$.run_id'), json_extract_scalar(message, '$.source.stream_id')
    ) AS run_id,
    TRY_CAST(json_extract_scalar(message, '$.frame_index') AS bigint) AS frame_index,
    TRY(from_iso8601_timestamp(json_extract_scalar(message, '$.capture_ts'))) AS capture_ts,
    json_array_length(json_extract(message, '$.detections')) AS detections,
    coalesce(quarantined.detections, 0) AS quarantined
  FROM received
  LEFT JOIN quarantined ON received.message_id = quarantined.message_id
  WHERE coalesce(quarantined.messages, 0) = 0
),
frames AS (
  SELECT
    store_id, camera_id, run_id, frame_index, capture_ts,
    max(detections) AS detections,
    max(quarantined) AS quarantined
  FROM sendings
  WHERE capture_ts >= with_timezone(
      CAST(:day AS timestamp(6)) + INTERVAL '1' SECOND * (86400 * :part / :parts), 'UTC'
    )
    AND capture_ts < with_timezone(
      CAST(:day AS timestamp(6)) + INTERVAL '1' SECOND * (86400 * (:part + 1) / :parts), 'UTC'
    )
    AND detections > 0
  GROUP BY store_id, camera_id, run_id, frame_index, capture_ts
),
silver AS (
  SELECT
    store_id, camera_id, run_id, frame_index, capture_ts, count(DISTINCT det_id) AS detections
  FROM silver_detection
  WHERE capture_ts >= with_timezone(
      CAST(:day AS timestamp(6)) + INTERVAL '1' SECOND * (86400 * :part / :parts), 'UTC'
    )
    AND capture_ts < with_timezone(
      CAST(:day AS timestamp(6)) + INTERVAL '1' SECOND * (86400 * (:part + 1) / :parts), 'UTC'
    )
  GROUP BY store_id, camera_id, run_id, frame_index, capture_ts
),
judged AS (
  SELECT
    frames.*,
    frames.detections - frames.quarantined - coalesce(silver.detections, 0) AS lost
  FROM frames
  LEFT JOIN silver
    ON frames.store_id = silver.store_id
    AND frames.camera_id = silver.camera_id
    AND frames.run_id = silver.run_id
    AND frames.frame_index = silver.frame_index
    AND frames.capture_ts = silver.capture_ts
)
SELECT
  count_if(lost > 0) AS violations,
  count(*) AS checked,
  max_by(
    store_id || '/' || camera_id || ' ' || run_id || ' frame ' || CAST(frame_index AS varchar)
      || ' lacks ' || CAST(lost AS varchar) || ' of ' || CAST(detections AS varchar),
    lost
  ) FILTER (WHERE lost > 0) AS example
FROM judged
