-- An empty table for what a table of the lakehouse holds. Grain and key: those of the table.
-- Columns: those that are compared, with the oracle's types.
-- Idempotent: made in a database of its own.
CREATE TABLE actual_${table} AS
SELECT ${columns}
FROM ${table}
LIMIT 0;
