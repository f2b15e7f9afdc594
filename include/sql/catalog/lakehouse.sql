-- The Iceberg REST catalogue, as Flink sees it. Tables are made by include/lakehouse, never here.
CREATE CATALOG lakehouse WITH (
  'type' = 'iceberg',
  ${catalog_options}
)
