-- The Iceberg REST catalogue, as Flink sees it. Tables are made by include/lakehouse, never here.
CREATE CATALOG lakehouse WITH (
  'type' = 'iceberg',
  'catalog-type' = 'rest',
  'uri' = '${catalog_uri}',
  'warehouse' = '${warehouse}',
  'io-impl' = 'org.apache.iceberg.aws.s3.S3FileIO',
  's3.endpoint' = '${s3_endpoint}',
  's3.path-style-access' = 'true',
  's3.access-key-id' = '${s3_access_key}',
  's3.secret-access-key' = '${s3_secret_key}',
  'client.region' = '${s3_region}'
)
