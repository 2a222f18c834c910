"""Sums as a file: arrays in NumPy's own format, and what they mean as JSON beside them. Nothing in it is run when it is read."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from asp_eval.core.documents import write_whole
from asp_eval.core.errors import Fault
from asp_eval.core.phrases import Phrase
from asp_eval.stats.design.formula import parse_formula
from asp_eval.stats.design.layout import FactorLayout, Layout

NOT_A_FILE = Fault("FIT-175", "this is no file of moments, or it is damaged: {why}", "Save it again with moments.save(path).")
ODD_GROUPS = Fault("FIT-176", "groups of this kind cannot be saved", "Turn the grouping column into text first.")
VERSION = 1
_ABOUT = "about"


def write_arrays(
    path: Path, arrays: Mapping[str, npt.NDArray[Any]], layout: Layout, levels: tuple[pd.Index, ...], facts: dict[str, Any]
) -> None:
    """Write arrays, the layout they belong to, the groups, and further facts."""
    about = {"version": VERSION, "layout": _plain_layout(layout), "levels": [_plain_levels(v) for v in levels], **facts}
    content = io.BytesIO()
    coded = np.frombuffer(json.dumps(about).encode(), dtype=np.uint8)
    written: dict[str, Any] = {_ABOUT: coded, **arrays}
    np.savez_compressed(content, **written)
    write_whole(path, content.getvalue())


def read_arrays(path: Path) -> tuple[dict[str, npt.NDArray[Any]], Layout, tuple[pd.Index, ...], dict[str, Any]]:
    """Return what `write_arrays` wrote.

    Raises
    ------
    Refusal
        FIT-175 if the file is another, or damaged.
    """
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as held:
            arrays = {name: held[name] for name in held.files}
        about = json.loads(arrays.pop(_ABOUT).tobytes())
        if about["version"] != VERSION:
            NOT_A_FILE.refuse(
                str(path), why=Phrase("it is of another version"), found=str(about["version"]), expected=str(VERSION)
            )
        layout = _layout(about["layout"])
        return arrays, layout, tuple(_levels(v) for v in about["levels"]), about
    except FileNotFoundError:
        return NOT_A_FILE.refuse(str(path), why=Phrase("there is no such file"))
    except (ValueError, KeyError, TypeError, AttributeError, OSError, EOFError, zipfile.BadZipFile) as error:
        return NOT_A_FILE.refuse(str(path), why=(str(error).splitlines() or [type(error).__name__])[0])


def _plain_layout(layout: Layout) -> dict[str, Any]:
    return {
        "text": layout.text,
        "columns": layout.columns,
        "fixed": layout.fixed,
        "factors": [[f.name, f.group, f.blocks, f.every] for f in layout.factors],
        "indicators": sorted(layout.indicators),
        "learned": layout.learned,
    }


def _layout(plain: dict[str, Any]) -> Layout:
    factors = tuple(FactorLayout(name, tuple(group), *map(_tuples, positions)) for name, group, *positions in plain["factors"])
    notes = parse_formula(plain["text"]).notes if "~" in plain["text"] else ()  # of arrays there is no formula
    columns, fixed = tuple(plain["columns"]), tuple(plain["fixed"])
    return Layout(plain["text"], columns, fixed, factors, frozenset(plain["indicators"]), _tuples(plain["learned"]), notes)


def _tuples(value: Any) -> Any:
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value


def _plain_levels(levels: pd.Index) -> dict[str, Any]:
    """Return groups as texts, numbers and truth values; those of several columns column by column."""
    columns = [levels.get_level_values(i) for i in range(levels.nlevels)]
    values = [[v.item() if isinstance(v, np.generic) else v for v in column] for column in columns]
    odd = [v for column in values for v in column if not isinstance(v, (str, int, float, bool))]
    if odd:
        ODD_GROUPS.refuse(found=type(odd[0]).__name__)
    return {"names": list(levels.names) if levels.nlevels > 1 else None, "values": values}


def _levels(plain: dict[str, Any]) -> pd.Index:
    if plain["names"] is None:
        single: pd.Index = pd.Index(plain["values"][0])
        return single
    return pd.MultiIndex.from_arrays(plain["values"], names=plain["names"])
