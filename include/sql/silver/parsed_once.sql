-- One row for each detection (reason IS NULL) or for each quarantined thing, once.
-- item_key identifies a detection (store, camera, run, frame, capture_ts, det_id), a bad
-- detection (the same with its position) or a bad message (its message id). Keeping the first
-- of each key is append-only: a second sending of a frame adds nothing.
-- Each table keeps the keys of its own rows: told apart behind the deduplication, both would keep
-- all. The parser runs once for both.
CREATE TEMPORARY VIEW ${table}_once AS
SELECT *
FROM (
  SELECT
    p.*,
    b.message_id,
    b.ingest_ts,
    ROW_NUMBER() OVER (PARTITION BY p.item_key ORDER BY b.arrived ASC) AS sending
  FROM bronze_stream AS b,
    LATERAL TABLE(parse_frame(b.payload, b.message_id)) AS p(${columns})
  WHERE p.reason ${reason}
)
WHERE sending = 1
