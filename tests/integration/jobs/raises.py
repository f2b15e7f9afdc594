"""A job file with an error of its own, before it submits anything."""


def prepare() -> None:
    raise ValueError("the answer is not 42")


prepare()
