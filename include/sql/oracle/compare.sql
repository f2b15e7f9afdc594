-- The keys in which a table differs from what it must hold, each in one of four ways: missing,
-- surplus (a row under a key that none is expected under), doubled (more rows than one under an
-- expected key), differing (other values; `columns` names them). Grain: a key and a kind.
-- Key: table, kind and the table's key. Source: expected_${table}, shown_${table}.
-- Idempotent: fills the table difference of a database of its own.
INSERT INTO difference ("table", kind, columns, ${key})
SELECT '${table}', 'missing', '', ${key}
FROM expected_${table}
ANTI JOIN shown_${table} USING (${key});

INSERT INTO difference ("table", kind, columns, ${key})
SELECT DISTINCT '${table}', 'surplus', '', ${key}
FROM shown_${table}
ANTI JOIN expected_${table} USING (${key});

INSERT INTO difference ("table", kind, columns, ${key})
SELECT '${table}', 'doubled', '', ${key}
FROM shown_${table}
SEMI JOIN expected_${table} USING (${key})
GROUP BY ${key}
HAVING count(*) > 1;

INSERT INTO difference ("table", kind, columns, ${key})
SELECT '${table}', 'differing', max(columns), ${key}
FROM (
  SELECT ${key}, concat_ws(' ', ${differing}) AS columns
  FROM expected_${table} AS e
  JOIN shown_${table} AS s USING (${key})
)
WHERE columns <> ''
GROUP BY ${key};
