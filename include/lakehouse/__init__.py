"""The lakehouse's Iceberg tables: one definition of each, made, evolved, described and counted."""
