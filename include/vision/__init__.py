"""Video in, frame metadata out: who is where in each frame, one JSON line a frame.

`python -m vision --input VIDEO` is the command, `vision.run.extract` the function behind it.
This package has its own environment (docs/adr/003); nothing outside imports it.
"""

from vision.environment import keep_libraries_quiet

# before anything imports cv2 or ultralytics: they read these variables once
keep_libraries_quiet()
