"""Flink over its REST API: a client, and Airflow's hook, operators, sensors, triggers on it."""
