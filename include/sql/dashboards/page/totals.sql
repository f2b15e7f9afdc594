-- Grain: one row. Key: none.
-- Source: gold_people_per_minute, gold_track_summary.
-- Values: :store, :camera, :begin, :end (UTC, end excluded). Reads only.
-- People are not summed over minutes: whoever stays two minutes would count twice. A track counts
-- once in the time in which it starts; its id after a long absence is the same track.
WITH
minutes AS (
  SELECT
    coalesce(sum(detections), 0) AS detections,
    max(unique_people) AS peak_people,
    max_by(ts_minute, (unique_people, detections)) AS peak_minute,
    count(*) AS minutes_with_people
  FROM lakehouse.{database}.gold_people_per_minute
  WHERE store_id = :store
    AND camera_id = :camera
    AND ts_minute >= with_timezone(CAST(:begin AS timestamp(6)), 'UTC')
    AND ts_minute < with_timezone(CAST(:end AS timestamp(6)), 'UTC')
),
tracks AS (
  SELECT
    count(DISTINCT (run_id, track_id)) AS tracks,
    approx_percentile(duration_seconds, 0.5) AS median_duration_seconds,
    max(duration_seconds) AS max_duration_seconds
  FROM lakehouse.{database}.gold_track_summary
  WHERE store_id = :store
    AND camera_id = :camera
    AND start_ts >= with_timezone(CAST(:begin AS timestamp(6)), 'UTC')
    AND start_ts < with_timezone(CAST(:end AS timestamp(6)), 'UTC')
)
SELECT
  minutes.detections,
  minutes.peak_people,
  minutes.peak_minute,
  minutes.minutes_with_people,
  tracks.tracks,
  tracks.median_duration_seconds,
  tracks.max_duration_seconds
FROM minutes
CROSS JOIN tracks
