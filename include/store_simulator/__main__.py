"""`python -m store_simulator`."""

import sys

from store_simulator.cli import main

sys.exit(main())
