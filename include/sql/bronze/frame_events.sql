-- Each message once. When the consumer connects anew (a broker starts again, a topic moves), the
-- broker gives it again what came since the last checkpoint, and the connector takes it again.
-- Grain: one row a message. Key: message_id. Source: Pulsar.
CREATE TEMPORARY VIEW frame_events AS
SELECT *
FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY message_id ORDER BY arrived ASC) AS sending
  FROM given_events
)
WHERE sending = 1
