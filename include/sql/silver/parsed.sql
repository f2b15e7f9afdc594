-- One row for each detection or quarantined thing, once.
-- item_key identifies a detection (store, camera, run, frame, capture_ts, det_id), a bad
-- detection (the same with its position) or a bad message (its message id). Keeping the first
-- of each key is append-only: a second sending of a frame adds nothing.
CREATE TEMPORARY VIEW parsed_once AS
SELECT *
FROM (
  SELECT
    p.*,
    b.message_id,
    b.ingest_ts,
    ROW_NUMBER() OVER (PARTITION BY p.item_key ORDER BY b.arrived ASC) AS sending
  FROM bronze_stream AS b,
    LATERAL TABLE(parse_frame(b.payload, b.message_id)) AS p(${columns})
)
WHERE sending = 1
