"""An argument parser that tells what is wrong in one line, as all of vision does."""

import argparse
from typing import NoReturn

from vision.errors import SettingsError


class OneLineParser(argparse.ArgumentParser):
    """Raises `SettingsError` in place of printing the usage and leaving."""

    def error(self, message: str) -> NoReturn:
        """Called by argparse for arguments that it cannot make sense of."""
        raise SettingsError(f"{message} (see {self.prog} --help)")
