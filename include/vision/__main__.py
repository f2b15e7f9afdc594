"""`python -m vision`."""

from vision.cli import main
from vision.leaving import leave
from vision.streams import survive_their_readers

survive_their_readers()
leave(main())
