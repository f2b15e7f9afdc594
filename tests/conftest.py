"""What holds for every test, whatever its environment."""

from __future__ import annotations

from hypothesis import settings

# machines are shared and other tests run beside: how long an example takes says nothing
settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")
