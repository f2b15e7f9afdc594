-- What the parser makes of each message. Frames in which nobody was seen are left out.
-- Grain: one row a message; its detections and what is rejected lie in arrays. Source: bronze_raw.
CREATE TEMPORARY VIEW parsed_messages AS
SELECT ${of_message}, message_id, ingest_ts, arrived
FROM (
  SELECT parse_message(payload, message_id) AS parsed, message_id, ingest_ts, arrived
  FROM bronze_stream
) AS m
WHERE m.parsed.frame_key IS NOT NULL
