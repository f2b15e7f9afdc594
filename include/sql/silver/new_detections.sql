-- Each usable detection once. Key: frame_key, det_id. All of a frame's first sending are new; of a
-- later one those that the first had not, once, looked for only where it has other items at all.
-- Append-only: a second sending of a frame adds nothing.
-- Grain: a message and those of its detections that are new. Put together before they are taken apart,
-- so that few rows pass from task to task. Source: sendings.
CREATE TEMPORARY VIEW new_detections AS
SELECT ${of_frame}, detections, ingest_ts
FROM sendings
WHERE sending = 1
UNION ALL
SELECT ${of_frame}, ARRAY[ROW(${of_detection})] AS detections, ingest_ts
FROM (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY frame_key, det_id ORDER BY arrived ASC) AS occurrence
  FROM sendings
  CROSS JOIN UNNEST(detections) AS found (${of_detection})
  WHERE
    sending > 1
    AND item_names IS DISTINCT FROM first_names
    AND POSITION(CONCAT(CHR(0), det_id, CHR(0)) IN first_names) = 0
)
WHERE occurrence = 1
