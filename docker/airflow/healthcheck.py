"""Asks Airflow for its health: fails unless each part of it says that it is healthy."""

from __future__ import annotations

import json
import sys
from urllib.request import urlopen

URL = "http://localhost:8080/api/v2/monitor/health"
ASK_SECONDS = 10
PARTS = ("metadatabase", "scheduler", "triggerer", "dag_processor")


def main() -> int:
    """Ask; the exit status."""
    try:
        with urlopen(URL, timeout=ASK_SECONDS) as answer:
            health = json.load(answer)
    except OSError as error:
        print(f"{URL} does not answer: {error}")
        return 1
    ill = [part for part in PARTS if (health.get(part) or {}).get("status") != "healthy"]
    print(f"not healthy: {', '.join(ill)}" if ill else "healthy")
    return 1 if ill else 0


if __name__ == "__main__":
    sys.exit(main())
