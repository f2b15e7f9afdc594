-- Grain: one row a class of duration; all of them, so that the picture keeps its shape. Key:
-- duration. Source: gold_track_summary. Reads only. A class holds its lower bound.
SELECT
  classes.duration,
  COUNT(summaries.duration_seconds) AS tracks
FROM (
  VALUES
    (0e0, 1e0, 'under 1 s'),
    (1e0, 2e0, '1-2 s'),
    (2e0, 5e0, '2-5 s'),
    (5e0, 10e0, '5-10 s'),
    (10e0, 30e0, '10-30 s'),
    (30e0, 60e0, '30-60 s'),
    (60e0, 300e0, '1-5 min'),
    (300e0, 900e0, '5-15 min'),
    (900e0, infinity(), 'over 15 min')
) AS classes (from_seconds, to_seconds, duration)
LEFT JOIN (
  SELECT duration_seconds
  FROM lakehouse.rva.gold_track_summary
  WHERE
    start_ts BETWEEN with_timezone($__timeFrom(), 'UTC') AND with_timezone($__timeTo(), 'UTC')
    AND ('__all' IN ($store) OR store_id IN ($store))
    AND ('__all' IN ($camera) OR camera_id IN ($camera))
) AS summaries
  ON summaries.duration_seconds >= classes.from_seconds
  AND summaries.duration_seconds < classes.to_seconds
GROUP BY classes.from_seconds, classes.duration
ORDER BY classes.from_seconds
