"""Judges what clients saw. Knows nothing of the broker but its promises; Python's standard library only."""

from .histories import Verdict, check_history, check_ledger
from .judge import KINDS, Judgement, judge
from .ledger import Ledger, read_ledgers
from .patterns import matches, wants

__all__ = ["KINDS", "Judgement", "Ledger", "Verdict", "check_history", "check_ledger", "judge", "matches", "read_ledgers", "wants"]
