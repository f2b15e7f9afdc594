-- Tracks and visits of a bounded read: a detection more than ${gap_seconds} s after the one
-- before it, of the same key, starts a new one. The same rows as sessions_streaming.sql.
SELECT
  ${keys},
  ${measures}
FROM (
  SELECT
    *,
    SUM(starts) OVER (
      PARTITION BY ${keys} ORDER BY ts_ms ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS session_number
  FROM (
    SELECT
      *,
      CASE
        WHEN ts_ms - LAG(ts_ms) OVER (PARTITION BY ${keys} ORDER BY ts_ms) <= ${gap_seconds} * 1000
          THEN 0
        ELSE 1
      END AS starts
    FROM tracked_detections
  )
)
GROUP BY ${keys}, session_number
