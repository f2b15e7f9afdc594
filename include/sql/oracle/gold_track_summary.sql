-- Expected gold_track_summary. Grain: a track, which ends after a gap over track_gap.
-- Key: store_id, camera_id, run_id, track_id, start_ts. Source: person_detection.
-- Idempotent: made in a database of its own. closes_at: as in gold_people_per_minute.sql.
-- late: a detection came when the watermark had passed the end of the track as it was without it,
-- track_gap after the detection before (of the first: after itself), so that it was cut or left out.
CREATE TABLE gold_track_summary AS
SELECT
  store_id, camera_id, run_id, track_id,
  min(capture_ts) AS start_ts, max(capture_ts) AS end_ts, count(*) AS frames,
  epoch_ms(max(capture_ts) - min(capture_ts)) / 1000 AS duration_seconds,
  min((x1 + x2) / 2) AS min_x, max((x1 + x2) / 2) AS max_x,
  max((x1 + x2) / 2) - min((x1 + x2) / 2) AS delta_x,
  min((y1 + y2) / 2) AS min_y, max((y1 + y2) / 2) AS max_y,
  max((y1 + y2) / 2) - min((y1 + y2) / 2) AS delta_y,
  avg((x1 + x2) / 2) AS avg_x, avg((y1 + y2) / 2) AS avg_y, avg(conf) AS avg_conf,
  max(capture_ts) + getvariable('track_gap') AS closes_at,
  coalesce(
    bool_or(
      watermark >= CASE WHEN gap <= getvariable('track_gap') THEN capture_ts - gap ELSE capture_ts END
        + getvariable('track_gap') - INTERVAL 1 MILLISECOND
    ),
    FALSE
  ) AS late
FROM (
  SELECT
    *,
    sum(CASE WHEN gap > getvariable('track_gap') THEN 1 ELSE 0 END) OVER (
      PARTITION BY store_id, camera_id, run_id, track_id ORDER BY capture_ts
    ) AS piece
  FROM (
    SELECT
      *,
      capture_ts - lag(capture_ts) OVER (
        PARTITION BY store_id, camera_id, run_id, track_id ORDER BY capture_ts
      ) AS gap
    FROM person_detection
    WHERE track_id IS NOT NULL
  )
)
GROUP BY store_id, camera_id, run_id, track_id, piece;
