"""What may be handed in as data: a pandas frame or anything that turns into one; a column by its name or by its values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from asp_eval.core.errors import Fault
from asp_eval.core.phrases import Phrase

NO_FRAME = Fault("FIT-026", "the data are not a table", "Read a file first: pandas.read_csv(path).")
NO_COLUMN = Fault(
    "FIT-027", "{what} is neither a column of the data nor values for its rows", "Give a column's name, or one value per row."
)
TWO_TABLES = Fault("FIT-029", "the data are given twice, as frame and as data", "Give them once.")
NOT_TRUTH = Fault("FIT-016", "{name} is neither True nor False", "Give for example {name}=True.")
OTHER_INDEX = Fault(
    "FIT-028", "the rows of {what} are labelled otherwise than those of the data", "Put it into the data as a column first."
)

Given = str | pd.Series | npt.NDArray[Any] | Sequence[Any]
"""A column's name, or its values."""


def one_of(frame: object, data: object) -> object:
    """Return the data, which statsmodels and R call ``data``.

    Raises
    ------
    Refusal
        FIT-029 if both are given.
    """
    if frame is not None and data is not None:
        TWO_TABLES.refuse()
    return data if frame is None else frame


def truth(name: str, value: object) -> bool:
    """Return an argument that is true or false.

    Raises
    ------
    Refusal
        FIT-016 if it is anything else.
    """
    if not isinstance(value, (bool, np.bool_)):
        NOT_TRUTH.refuse(found=value, name=name)
    return bool(value)


def as_frame(frame: object) -> pd.DataFrame:
    """Return data as a pandas frame: a frame as it is, a polars frame or a pyarrow table by its own ``to_pandas``.

    Raises
    ------
    Refusal
        FIT-026 if it is no table.
    """
    if isinstance(frame, pd.DataFrame):
        return frame
    convert = getattr(frame, "to_pandas", None)
    if callable(convert) and not isinstance(frame, type):
        try:
            made = convert()
        except Exception as error:  # whatever the other library raises
            NO_FRAME.refuse(found=type(frame).__name__, expected=str(error).splitlines()[0] if str(error) else None)
        if isinstance(made, pd.DataFrame):
            return made
    return NO_FRAME.refuse(found=type(frame).__name__, expected=Phrase("a pandas DataFrame"))


def with_column(frame: pd.DataFrame, given: Given, what: str) -> tuple[pd.DataFrame, str]:
    """Return a frame that holds a column, and the column's name; values are added under ``(what)``.

    Raises
    ------
    Refusal
        FIT-027 if they are no values of the rows, FIT-028 if a Series has another index than the frame.
    """
    if isinstance(given, str):
        return frame, given
    if isinstance(given, pd.Series) and not given.index.equals(frame.index):
        if len(given) == len(frame):
            OTHER_INDEX.refuse(what=what)
        NO_COLUMN.refuse(what=what, found=Phrase("{n} values", n=len(given)), expected=Phrase("{n} values", n=len(frame)))
    if not isinstance(given, (pd.Series, pd.Index, np.ndarray, list, tuple, pd.api.extensions.ExtensionArray)):
        convert = getattr(given, "to_numpy", None)
        if not callable(convert) or isinstance(given, (type, pd.DataFrame)):
            NO_COLUMN.refuse(what=what, found=type(given).__name__)
        given = np.asarray(convert())
    shape = np.shape(given) if isinstance(given, np.ndarray) else (len(given),)
    if shape != (len(frame),):
        NO_COLUMN.refuse(
            what=what, found=Phrase("values of shape {shape}", shape=shape), expected=Phrase("{n} values", n=len(frame))
        )
    name = f"({what})"
    if name in frame.columns:
        NO_COLUMN.refuse(what=what, found=Phrase("a column that is already called {name}", name=name))
    try:
        return frame.assign(**{name: given}), name
    except (ValueError, TypeError) as error:
        return NO_COLUMN.refuse(what=what, found=str(error).splitlines()[0])
