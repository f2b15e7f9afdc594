"""Random numbers: each store, camera, shopper and dial has a generator of its own.

A child is told apart by its names and not by its place in the file, so adding a camera, a store
or a dial leaves every number of the others as it was.
"""

import hashlib

import numpy as np

_KEY_BYTES = 8


def generator(seed: int, *names: str) -> np.random.Generator:
    """The generator of the child that `names` lead to; the same names, the same numbers."""
    key = tuple(
        int.from_bytes(hashlib.sha256(name.encode()).digest()[:_KEY_BYTES], "big") for name in names
    )
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))
