"""Unit tests see neither the checkout's .env nor the shell's settings; integration tests do."""

import os

import pytest


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    if request.node.get_closest_marker("integration"):
        return
    monkeypatch.setattr("local_stack.settings.read_env_file", lambda _: {})
    for name in [key for key in os.environ if key.startswith("RVA_")]:
        monkeypatch.delenv(name)
    # also puts back what a command of ours sets in this process
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1,localhost")
