"""Asks the JobManager for its overview; `--slots N`: fails unless N task slots are registered."""

from __future__ import annotations

import argparse
import json
import os
import sys
from urllib.request import urlopen

ASK_SECONDS = 5


def main() -> int:
    """Ask; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slots", type=int, default=0)
    wanted = parser.parse_args().slots
    url = f"{os.environ['RVA_FLINK_URL']}/overview"
    try:
        with urlopen(url, timeout=ASK_SECONDS) as answer:  # noqa: S310
            slots = json.load(answer)["slots-total"]
    except OSError as error:
        print(f"{url} does not answer: {error}")
        return 1
    print(f"{slots} task slots")
    return 0 if slots >= wanted else 1


if __name__ == "__main__":
    sys.exit(main())
