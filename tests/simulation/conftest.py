"""The simulation study lives with the benchmarks; its modules stand beside each other there."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks" / "simulation"))
