-- Visits with the hour in which they started and their dwell, last minus first detection.
SELECT
  *,
  ts_ms - MOD(ts_ms, 3600000) AS hour_ms,
  end_ms - ts_ms AS dwell_ms
FROM visits
