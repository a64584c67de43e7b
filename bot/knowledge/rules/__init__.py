"""The editorial rules beyond what `load` demands, a module for each subject."""

from bot.knowledge.rules import answers, links, pictures, questions, review, safety
from bot.knowledge.rules.base import RULES

__all__ = ["RULES", "answers", "links", "pictures", "questions", "review", "safety"]
