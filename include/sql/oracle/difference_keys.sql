-- Every key that differs, into a file. Grain and key: those of difference; message_id in hexadecimal.
-- Idempotent: writes the file anew.
COPY (
  SELECT * REPLACE (lower(hex(message_id)) AS message_id)
  FROM difference
  ORDER BY ALL
) TO '${file}' (${format});
