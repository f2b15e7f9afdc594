-- Grain: a camera's hour and a table that streaming Gold writes. Key: store_id, camera_id, ts_hour,
-- gold_table. Source: late_detections. A window is over for a detection when the watermark has
-- passed its end less 1 ms. A track's and a visit's window reaches from the detection to the gap
-- after it; the search for visits' starts, without which no dwell is shown, is over with the slice
-- that the detection is in (visit_starts.sql). Idempotent: upserts by key; the counts are in the
-- job's checkpoint. The array is made of each row: one of constants would be a source of its own,
-- which ends soon after the start, and a savepoint asked for just then fails.
SELECT
  store_id,
  camera_id,
  CAST(TO_TIMESTAMP_LTZ(hour_ms, 3) AS TIMESTAMP_LTZ(6)) AS ts_hour,
  gold_table,
  COUNT(*) AS detections,
  MAX(late_ms) / 1000e0 AS max_late_seconds
FROM (
  SELECT
    store_id, camera_id,
    ts_ms - MOD(ts_ms, 3600000) AS hour_ms,
    gold_table,
    newest_ms - ts_ms AS late_ms
  FROM late_detections
  CROSS JOIN UNNEST(ARRAY[
    CASE WHEN ts_ms - MOD(ts_ms, 60000) + 60000 - 1 <= watermark_ms
      THEN 'gold_people_per_minute' END,
    CASE WHEN ts_ms - MOD(ts_ms, 3600000) + 3600000 - 1 <= watermark_ms
      THEN 'gold_zone_heatmap' END,
    CASE WHEN track_id IS NOT NULL AND ts_ms + ${track_gap_seconds} * 1000 - 1 <= watermark_ms
      THEN 'gold_track_summary' END,
    CASE WHEN track_id IS NOT NULL AND ts_ms - MOD(ts_ms, ${slice_ms}) + ${slice_ms} - 1 <= watermark_ms
      THEN 'gold_zone_dwell' END
  ]) AS t (gold_table)
  WHERE gold_table IS NOT NULL
)
GROUP BY store_id, camera_id, hour_ms, gold_table
