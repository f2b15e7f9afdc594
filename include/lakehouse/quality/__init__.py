"""Data quality: each check is SQL in `include/sql/checks/<layer>`, its results are a table's rows.

Read (`checks`), run by Trino for a UTC day (`checking`), kept in `data_quality` (`record`).
"""
