"""The scratch server of the tests of the reversal engine."""

from tests.reversal.conftest import scratch

__all__ = ["scratch"]
