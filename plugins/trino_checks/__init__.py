"""Checks on the lakehouse by Trino: operators and a deferrable sensor that compare exactly."""
