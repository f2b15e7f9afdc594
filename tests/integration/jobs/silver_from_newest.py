"""silver_detections without the starting strategy of its source: what Flink does by itself."""

import re

from flink_jobs import silver_detections, sql

_rendered = sql.render
_STRATEGY = re.compile(r"\n +'starting-strategy' = '\w+',")


def _without_strategy(name: str, **values: object) -> str:
    text, taken_out = _STRATEGY.subn("", _rendered(name, **values))
    if name == "silver/source.sql" and taken_out != 1:
        raise ValueError(f"{name} names a starting strategy {taken_out} times, not once")
    return text


sql.render = _without_strategy
silver_detections.main()
