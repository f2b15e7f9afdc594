-- Takes the days before a moment out of ${table}: whole partitions, so that no file is written, in one
-- commit, of which no reader of a stream takes notice.
-- Key: the table's day. Source: ${table}. Values: the midnight (UTC) before which all goes.
-- Idempotent: what is gone is not there any more.
DELETE FROM ${table}
WHERE ${time} < ?
