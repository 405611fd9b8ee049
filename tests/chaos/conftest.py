"""The same servers as the integration tests have."""

from tests.integration.conftest import make_settings, own_stack, stack

__all__ = ["make_settings", "own_stack", "stack"]
