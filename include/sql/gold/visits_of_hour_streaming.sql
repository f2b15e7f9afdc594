-- Visits that started in an hour, summed once the hour has ended and all of them have.
-- How many have started is known when the watermark has passed the hour: each is a detection
-- without another of its track and cell in the ${gap_seconds} s before. A row is shown when as
-- many have ended. Shown earlier, it would put a part over what the batch has written whole.
SELECT started.store_id, started.camera_id, started.zone_x, started.zone_y, started.ts_ms,
  visits, total_dwell_ms, max_dwell_ms
FROM (
  SELECT
    store_id, camera_id, zone_x, zone_y,
    MIN(ts_ms - MOD(ts_ms, 3600000)) AS ts_ms,
    COUNT(*) AS visits_started
  FROM TABLE(TUMBLE(TABLE visit_starts, DESCRIPTOR(ts), INTERVAL '1' HOUR))
  GROUP BY store_id, camera_id, zone_x, zone_y, window_start, window_end
) AS started
JOIN (${ended}) AS ended
  ON ended.store_id = started.store_id
  AND ended.camera_id = started.camera_id
  AND ended.zone_x = started.zone_x
  AND ended.zone_y = started.zone_y
  AND ended.ts_ms = started.ts_ms
  AND ended.visits = started.visits_started
