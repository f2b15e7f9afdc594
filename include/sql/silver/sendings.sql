-- Each message with its number among those of the same frame, and the items of the first of them.
-- What is remembered is a row a frame, not one a detection: the names of its items side by side, and
-- a lookup a frame.
-- Grain: one row a message. Source: parsed_messages.
CREATE TEMPORARY VIEW sendings AS
SELECT
  *,
  COUNT(*) OVER of_frame AS sending,
  FIRST_VALUE(item_names) OVER of_frame AS first_names
FROM parsed_messages
WINDOW of_frame AS (
  PARTITION BY frame_key ORDER BY arrived ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
)
