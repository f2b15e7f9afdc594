-- Each thing that cannot be used once: as new_detections.sql.
-- Grain: a rejected detection or message. Key: frame_key, name. Source: sendings.
CREATE TEMPORARY VIEW new_rejections AS
SELECT ${of_frame}, name, reason, detail, payload, message_id, ingest_ts
FROM sendings
CROSS JOIN UNNEST(rejected) AS found (name, reason, detail, payload)
WHERE sending = 1
UNION ALL
SELECT ${of_frame}, name, reason, detail, payload, message_id, ingest_ts
FROM (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY frame_key, name ORDER BY arrived ASC) AS occurrence
  FROM sendings
  CROSS JOIN UNNEST(rejected) AS found (name, reason, detail, payload)
  WHERE
    sending > 1
    AND item_names IS DISTINCT FROM first_names
    AND POSITION(CONCAT(CHR(0), name, CHR(0)) IN first_names) = 0
)
WHERE occurrence = 1
