-- Rows of one Gold table as Trino reads them; PyIceberg cannot read the deletes of an upsert.
-- Grain and key: those of the table. Values: the first moment and the first not (ISO 8601, UTC).
-- Idempotent: reads only.
SELECT ${columns}
FROM ${table}
WHERE ${time} >= from_iso8601_timestamp(?) AND ${time} < from_iso8601_timestamp(?)
