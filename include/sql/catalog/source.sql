-- options of a temporary table that reads one Iceberg table of the database
  'connector' = 'iceberg',
  'catalog-name' = 'lakehouse',
  'catalog-database' = '${database}',
  ${catalog_options}
