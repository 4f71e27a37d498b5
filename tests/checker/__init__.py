"""Judges what clients saw. Knows nothing of the broker but its promises; Python's standard library only."""

from .histories import Verdict, check_history, check_ledger
from .judge import KINDS, Judgement, judge
from .ledger import Ledger, read_ledgers
from .origins import judge_origins, split_by_origin
from .patterns import matches, wants

__all__ = ["KINDS", "Judgement", "Ledger", "Verdict", "check_history", "check_ledger", "judge", "judge_origins", "matches", "read_ledgers",
           "split_by_origin", "wants"]
