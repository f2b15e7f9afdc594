-- Grain: one row a detection of one track, at most some :points of them, evenly. Key: capture_ts.
-- Source: silver_detection. Values: :store, :camera, :run, :track, :begin, :end (UTC, both
-- included: the track's first and last detection), :points. Reads only.
-- Box centres as shares of the image, 0 to 1, so that a still of any size takes them.
WITH
seen AS (
  SELECT
    capture_ts,
    (x1 + x2) / 2 / image_width AS x,
    (y1 + y2) / 2 / image_height AS y,
    row_number() OVER (ORDER BY capture_ts, frame_index) AS number,
    count(*) OVER () AS total
  FROM lakehouse.{database}.silver_detection
  WHERE store_id = :store
    AND camera_id = :camera
    AND run_id = :run
    AND track_id = :track
    AND class_name = 'person'
    AND capture_ts >= with_timezone(CAST(:begin AS timestamp(6)), 'UTC')
    AND capture_ts <= with_timezone(CAST(:end AS timestamp(6)), 'UTC')
)
SELECT capture_ts, x, y
FROM seen
WHERE number = 1
  OR number = total
  OR (number - 1) % CAST(ceiling(total / CAST(:points AS double)) AS bigint) = 0
ORDER BY number
