"""A process that ends while a camera says nothing."""

import os
import socket
import subprocess
import sys

PROGRAM = """
import sys, threading, time
import vision
from vision import capture, leaving

def connect():
    capture.open_stream(sys.argv[1], 0.5, 0.5)

class SlowToGo:
    def __del__(self):
        # the read comes back while Python is torn down
        time.sleep(1.5)

sys.modules["kept to the very end"] = SlowToGo()
threading.Thread(target=connect, name=leaving.CAMERA_THREAD, daemon=True).start()
time.sleep(0.1)
print("done")
leaving.leave(3)
"""


def test_silent_camera_does_not_abort_the_end_of_a_process() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"rtsp://127.0.0.1:{silent.getsockname()[1]}/ch1"
        ended = subprocess.run(
            [sys.executable, "-c", PROGRAM, address],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=os.environ,
        )
    # sys.exit in its place gives -6 here
    assert (ended.returncode, ended.stdout, ended.stderr) == (3, "done\n", "")
