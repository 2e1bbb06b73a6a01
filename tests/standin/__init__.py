"""A stand-in for Gemini: real HTTP in its own process, right answers that a test can compute, every known fault on demand.

`StandIn` starts and stops it, `truth` says what is right, `standin.faults` names what can go wrong; the protocol is in `server`.
"""

from standin.client import StandIn
from standin.truth import truth

__all__ = ["StandIn", "truth"]
