-- Frame metadata on Pulsar, as the broker gives it.
-- Grain: one row a message, or more where it is given again (frame_events.sql). Payload stays
-- bytes: what is no UTF-8 must survive.
CREATE TEMPORARY TABLE given_events (
  payload BYTES,
  properties MAP<STRING, STRING> METADATA FROM 'properties' VIRTUAL,
  message_id BYTES METADATA FROM 'message_id' VIRTUAL,
  publish_time TIMESTAMP_LTZ(3) METADATA FROM 'publish_time' VIRTUAL,
  arrived AS PROCTIME()
) WITH (
  'connector' = 'pulsar',
  'topics' = '${topic}',
  'service-url' = '${pulsar_url}',
  'source.subscription-name' = 'bronze',
  'source.subscription-type' = 'Exclusive',
  'source.start.message-id' = 'earliest',
  -- a batch of 100 messages is else waited for up to 10 s
  'pulsar.source.maxFetchTime' = '200',
  -- if it cannot go back to its checkpoint, it must not read from wherever the subscription stands
  'pulsar.source.verifyInitialOffsets' = 'FAIL_ON_MISMATCH',
  'format' = 'raw'
)
