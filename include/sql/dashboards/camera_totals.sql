-- Grain: one row a camera. Key: camera. Source: gold_people_per_minute, gold_track_summary.
-- Reads only. A track counts once in the time in which it starts; its id after a long absence
-- is the same track.
WITH minutes AS (
  SELECT
    store_id,
    camera_id,
    SUM(detections) AS detections,
    MAX(unique_people) AS peak_people_in_a_minute,
    COUNT(*) AS minutes_with_people
  FROM lakehouse.rva.gold_people_per_minute
  WHERE
    ts_minute BETWEEN with_timezone($__timeFrom(), 'UTC') AND with_timezone($__timeTo(), 'UTC')
    AND ('__all' IN ($store) OR store_id IN ($store))
    AND ('__all' IN ($camera) OR camera_id IN ($camera))
  GROUP BY store_id, camera_id
),
tracks AS (
  SELECT
    store_id,
    camera_id,
    COUNT(DISTINCT (run_id, track_id)) AS tracks
  FROM lakehouse.rva.gold_track_summary
  WHERE
    start_ts BETWEEN with_timezone($__timeFrom(), 'UTC') AND with_timezone($__timeTo(), 'UTC')
    AND ('__all' IN ($store) OR store_id IN ($store))
    AND ('__all' IN ($camera) OR camera_id IN ($camera))
  GROUP BY store_id, camera_id
)
SELECT
  minutes.store_id || '/' || minutes.camera_id AS camera,
  minutes.detections,
  COALESCE(tracks.tracks, 0) AS tracks,
  minutes.peak_people_in_a_minute,
  minutes.minutes_with_people
FROM minutes
LEFT JOIN tracks
  ON tracks.store_id = minutes.store_id AND tracks.camera_id = minutes.camera_id
ORDER BY minutes.detections DESC, camera
