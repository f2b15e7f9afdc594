"""The store page inside Airflow: what Gold knows, for people who do not write SQL."""
