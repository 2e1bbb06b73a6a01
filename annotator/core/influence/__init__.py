"""What showing proposals did to labels: blind conversations of a round against assisted ones, and the model against people.

The way of the report: labels beside their proposals (`shown`, `proposed`), rates and kappas of both arms (`rates`, `codes`,
`report`), the tests (`tested`), its words, tables and pictures. Kappas and their errors are `core/agreement`'s.
"""

from annotator.core.influence.face import influence_of
from annotator.core.influence.shown import Background, Question, Shown

__all__ = ["Background", "Question", "Shown", "influence_of"]
