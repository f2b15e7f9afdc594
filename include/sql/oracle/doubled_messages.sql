-- Messages that stand in Bronze more than once. Grain and key: message_id. Source: message.
-- Idempotent: fills the table difference of a database of its own.
INSERT INTO difference ("table", kind, columns, message_id)
SELECT 'bronze_raw', 'doubled', '', message_id
FROM message
WHERE in_scope
GROUP BY message_id
HAVING count(*) > 1;
