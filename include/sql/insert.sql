-- A query's rows into the columns that it names, whatever their order; columns of the table that it
-- does not name become null, so that a job goes on when its table gets one (ADR 017).
INSERT ${into} lakehouse.${database}.${table} ${hint}
  (${columns})
${query}
