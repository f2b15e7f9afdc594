-- How far Silver's capture_ts had come when a message arrived, for telling late events by; and the
-- watermark of now. Grain: an ingest_ts at which it moved on. Source: arrival (ingest_ts and
-- capture_ts of all rows of silver_detection). Sets: watermark.
-- Idempotent: fills the empty table pace of a database of its own.
INSERT INTO pace
SELECT arrived, latest
FROM (
  SELECT arrived, latest, lag(latest) OVER (ORDER BY arrived) AS before
  FROM (
    SELECT arrived, max(max(capture_ts)) OVER (ORDER BY arrived) AS latest
    FROM arrival
    GROUP BY arrived
  )
)
WHERE before IS DISTINCT FROM latest;

SET VARIABLE watermark = (SELECT max(latest) FROM pace) - getvariable('lateness');
