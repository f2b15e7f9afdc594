-- where the catalogue and its object store are; for the catalogue and for each source over it
  'catalog-type' = 'rest',
  'uri' = '${catalog_uri}',
  'warehouse' = '${warehouse}',
  'io-impl' = 'org.apache.iceberg.aws.s3.S3FileIO',
  's3.endpoint' = '${s3_endpoint}',
  's3.path-style-access' = 'true',
  's3.access-key-id' = '${s3_access_key}',
  's3.secret-access-key' = '${s3_secret_key}',
  'client.region' = '${s3_region}'
