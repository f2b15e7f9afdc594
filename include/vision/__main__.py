"""`python -m vision`."""

from vision.cli import main
from vision.leaving import leave

leave(main())
