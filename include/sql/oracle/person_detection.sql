-- What Gold counts: person detections of expected Silver, with the watermark that streaming Gold
-- can have had when they arrived: of those that arrived in one millisecond, any may be the first. Grain and key: those of Silver.
-- Source: silver_detection, pace. Setting: lateness. Idempotent: made in a database of its own.
CREATE TABLE person_detection AS
SELECT silver_detection.*, latest - getvariable('lateness') AS watermark
FROM silver_detection
ASOF LEFT JOIN pace ON silver_detection.arrived >= pace.arrived
WHERE class_name = 'person';
