-- Grain: one row a track summary, one page of them; one without a track where the page has none. Key:
-- (run_id, track_id, start_ts).
-- Source: gold_track_summary. Values: :store, :camera, :begin, :end (UTC, end excluded), :order
-- (newest or longest), :offset, :limit. Reads only. all_tracks counts those of all pages.
WITH
chosen AS (
  SELECT
    run_id, track_id, start_ts, end_ts, duration_seconds, frames, avg_conf, delta_x, delta_y
  FROM lakehouse.{database}.gold_track_summary
  WHERE store_id = :store
    AND camera_id = :camera
    AND start_ts >= with_timezone(CAST(:begin AS timestamp(6)), 'UTC')
    AND start_ts < with_timezone(CAST(:end AS timestamp(6)), 'UTC')
),
ordered AS (
  SELECT
    *,
    row_number() OVER (
      ORDER BY
        CASE WHEN :order = 'longest' THEN duration_seconds END DESC,
        start_ts DESC, run_id, track_id
    ) AS place
  FROM chosen
),
counted AS (
  SELECT count(*) AS all_tracks
  FROM chosen
)
SELECT
  ordered.run_id,
  ordered.track_id,
  ordered.start_ts,
  ordered.end_ts,
  ordered.duration_seconds,
  ordered.frames,
  ordered.avg_conf,
  ordered.delta_x,
  ordered.delta_y,
  counted.all_tracks
FROM counted
LEFT JOIN ordered ON ordered.place > :offset AND ordered.place <= :offset + :limit
ORDER BY ordered.place
