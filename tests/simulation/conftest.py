"""The simulation study lives with the benchmarks; its modules stand beside each other there, and the tests' rows here."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "benchmarks" / "simulation")]
