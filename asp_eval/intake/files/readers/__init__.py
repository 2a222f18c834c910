"""One module for each dialect. A new module with a ``READER`` is found by itself: see docs/dialects.md."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from asp_eval.intake.files.export import Reader


def all_readers() -> list[Reader]:
    """Return the reader of every module in this package, those that know their files most closely first."""
    modules = [import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    readers: list[Reader] = [module.READER for module in modules if hasattr(module, "READER")]
    return sorted(readers, key=lambda reader: (reader.rank, reader.name))
