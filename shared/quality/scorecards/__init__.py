"""Scorecards: the questions of a quality review, answered by metrics, phrases and the outcome of the call.

docs/scorecards.md describes the files.
"""

from shared.quality.scorecards.grading import applies, grade, topic_rules
from shared.quality.scorecards.models import Scorecard
from shared.quality.scorecards.reading import load_scorecards

__all__ = ["Scorecard", "applies", "grade", "load_scorecards", "topic_rules"]
