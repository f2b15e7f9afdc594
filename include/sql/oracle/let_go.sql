-- What cannot be compared since a layer has let go of what came before a day. Grain and key: below.
-- Settings: bronze_since and quarantine_since, the midnight before which messages (rows of the
-- quarantine, or their messages) that were received are gone; silver_since, before which detections
-- that were captured are; gold_since, the first day of Gold that its own table and Silver have, the
-- evening before it included. All of them are long ago where nothing was let go.
-- Idempotent: made in a database of its own, filled by lakehouse.proving.

-- Keys of silver_detection whose message bronze_raw may have let go: a later sending of it that is
-- left tells nothing about the row. Grain and key: those of silver_detection.
CREATE TABLE received_before (
  store_id VARCHAR,
  camera_id VARCHAR,
  run_id VARCHAR,
  frame_index BIGINT,
  capture_ts TIMESTAMP,
  det_id VARCHAR
);

-- Days of Gold of which some messages are gone. Grain and key: a day.
CREATE VIEW unproven_day AS
SELECT DISTINCT
  unnest(
    [
      CAST(capture_ts - INTERVAL 1 DAY AS DATE),
      CAST(capture_ts AS DATE),
      CAST(capture_ts + getvariable('track_gap') AS DATE)
    ]
  ) AS day
FROM received_before;

CREATE MACRO is_proven(day_of_gold) AS
  day_of_gold >= getvariable('gold_since')
  AND day_of_gold NOT IN (SELECT day FROM unproven_day);
