-- The days (UTC, of capture) that Silver has rows of, in order.
-- Grain: one row a day. Source: the partitions of silver_detection. Reads only.
SELECT DISTINCT partition.capture_ts_day AS day
FROM "silver_detection$partitions"
ORDER BY day
