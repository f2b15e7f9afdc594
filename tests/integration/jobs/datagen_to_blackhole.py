"""A tiny job: numbers into nothing, for ever or so many rows; divided by zero, or their maximum."""

import argparse

from pyflink.table import EnvironmentSettings, TableEnvironment

parser = argparse.ArgumentParser()
parser.add_argument("--name", required=True)
parser.add_argument("--rows", type=int, default=0)
parser.add_argument("--checkpoint-dir")
parser.add_argument("--divide-by-zero", action="store_true")
parser.add_argument("--aggregate", action="store_true", help="keep state of its own")
arguments = parser.parse_args()

tables = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
config = tables.get_config()
config.set("pipeline.name", arguments.name)
if arguments.checkpoint_dir:
    config.set("execution.checkpointing.dir", f"file://{arguments.checkpoint_dir}")
    config.set("execution.checkpointing.interval", "2 s")
rows = f", 'number-of-rows' = '{arguments.rows}'" if arguments.rows else ""
tables.execute_sql(
    "CREATE TEMPORARY TABLE numbers (n INT) WITH ('connector' = 'datagen', "
    f"'rows-per-second' = '100', 'fields.n.min' = '0', 'fields.n.max' = '0'{rows})"
)
tables.execute_sql("CREATE TEMPORARY TABLE nothing (n INT) WITH ('connector' = 'blackhole')")
statements = tables.create_statement_set()
value = "1 / n" if arguments.divide_by_zero else "MAX(n)" if arguments.aggregate else "n"
statements.add_insert_sql(f"INSERT INTO nothing SELECT {value} FROM numbers")
statements.execute()
