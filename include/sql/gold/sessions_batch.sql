-- Tracks and visits of a bounded read: a slice that begins more than ${gap_seconds} s after all that
-- came before it, of the same key, starts a new one. The same rows as sessions_streaming.sql.
SELECT
  ${keys},
  MIN(ts_ms) AS ts_ms, MAX(end_ms) AS end_ms,
  SUM(frames) AS frames,
  MIN(min_x) AS min_x, MAX(max_x) AS max_x,
  MIN(min_y) AS min_y, MAX(max_y) AS max_y,
  SUM(sum_x) / SUM(frames) AS avg_x, SUM(sum_y) / SUM(frames) AS avg_y,
  SUM(sum_conf) / SUM(frames) AS avg_conf
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
        WHEN ts_ms - MAX(end_ms) OVER (
          -- of the cells of one slice, one can begin before another ends
          PARTITION BY ${keys} ORDER BY ts_ms ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) <= ${gap_seconds} * 1000
          THEN 0
        ELSE 1
      END AS starts
    FROM slices
    WHERE track_id IS NOT NULL
  )
)
GROUP BY ${keys}, session_number
