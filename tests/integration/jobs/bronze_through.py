"""bronze_ingest that reaches the catalogue at an address of its own: the address, then the rest."""

import os
import sys

from flink_jobs import bronze_ingest

os.environ["RVA_CATALOG_URI"] = sys.argv.pop(1)
bronze_ingest.main()
