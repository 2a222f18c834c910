"""The shipped instruments: found by id, by family, and by the age a form is for."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

from asp_eval.core.documents import read_document
from asp_eval.core.errors import DataProblems, Fault, Place, Problem
from asp_eval.core.phrases import Phrase, any_of
from asp_eval.core.resources import shipped_folder
from asp_eval.core.strict_yaml import read_yaml
from asp_eval.trial.instruments.definition import Instrument
from asp_eval.trial.instruments.norms import FOLDER, with_norms
from asp_eval.trial.instruments.parts import Ages

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

UNKNOWN = Fault("INS-001", "no {kind} has this name", "{advice}'asp-eval instruments list' shows them all.")
SAME_VERSION = Fault("INS-002", "{other} has the same id and version", "Raise the version, or give it an id of its own.")
SHARED_AGE = Fault("INS-014", "the form and {other} of the same family share ages", "Let one begin where the other ends.")
ANY_AGE = Ages.model_validate({"from": 0, "below": 120})


def instrument(name: str, version: int | None = None, *, norms: Path | None = None) -> Instrument:
    """Return a shipped instrument, its latest version unless another is asked for.

    Parameters
    ----------
    name : str
        Its id.
    version : int, optional
    norms : Path, optional
        A study's folder of norm sets of its own, which join those that are shipped.

    Raises
    ------
    Refusal
        INS-001, with the names that come near.
    DataProblems
        Everything that is wrong with the study's norm sets.

    Examples
    --------
    >>> instrument("sdq-teacher-4-17").scale_keys[:3]
    ('emotion', 'conduct', 'hyper')
    """
    shipped = _shipped() if norms is None else with_norms(_shipped(), norms)
    found = [each for each in shipped if each.id == name and version in {None, each.version}]
    if not found:
        known = [f"{each.id} version {each.version}" if version else each.id for each in _shipped()]
        _refuse("instrument", f"{name} version {version}" if version else name, known)
    return max(found, key=lambda each: each.version)


def instruments() -> tuple[Instrument, ...]:
    """Return every shipped instrument in its latest version, by id."""
    return tuple(instrument(name) for name in sorted({each.id for each in _shipped()}))


def family(name: str) -> tuple[Instrument, ...]:
    """Return the forms of a family, youngest first.

    Parameters
    ----------
    name : str
        The family; an instrument without age forms is a family of one, under its own id.

    Raises
    ------
    Refusal
        INS-001, with the names that come near.

    Examples
    --------
    >>> [form.id for form in family("sdq-teacher")]
    ['sdq-teacher-2-4', 'sdq-teacher-4-17']
    """
    forms = [each for each in instruments() if each.family == name]
    if not forms:
        _refuse("family", name, sorted({each.family for each in instruments()}))
    return tuple(sorted(forms, key=lambda form: _ages(form).from_))


def forms_named(name: str) -> tuple[Instrument, ...]:
    """Return the instrument of this id, or every form of the family of this name, by id; nothing if there is neither.

    Examples
    --------
    >>> [form.id for form in forms_named("sdq-teacher")], [form.id for form in forms_named("sdq-teacher-4-17")]
    (['sdq-teacher-2-4', 'sdq-teacher-4-17'], ['sdq-teacher-4-17'])
    """
    return tuple(each for each in instruments() if name in (each.id, each.family))


def choose_version(name: str, age_years: pd.Series[float]) -> pd.Series[str]:
    """Pick the form of a family for each age.

    Parameters
    ----------
    name : str
        The family.
    age_years : Series of float
        Ages in years, exact: a child of three years and eleven months is 3.92, not 4.

    Returns
    -------
    Series of str
        Ids, on the index of `age_years`; missing where the age is missing or no form serves it. A family whose one form
        serves every age needs no age.

    Examples
    --------
    >>> import pandas as pd
    >>> choose_version("sdq-teacher", pd.Series([3.9, 4.0, 1.5])).tolist()
    ['sdq-teacher-2-4', 'sdq-teacher-4-17', <NA>]
    """
    forms = family(name)
    import pandas as pd  # loaded where ages are: to list the instruments takes a tenth of the time without

    ids = pd.Categorical.from_codes(form_positions(forms, age_years), categories=pd.Index([form.id for form in forms]))
    return pd.Series(ids, index=age_years.index, name="form").astype("string")


def form_positions(forms: Sequence[Instrument], age_years: pd.Series[float]) -> NDArray[np.int64]:
    """Return for each age the position of the form that serves it, -1 where none does."""
    import numpy as np

    age = age_years.to_numpy(dtype=float, na_value=np.nan)
    picked = np.full(len(age), -1, dtype=np.int64)
    for position, form in enumerate(forms):
        fits = np.ones(len(age), bool) if form.ages is None else (age >= form.ages.from_) & (age < form.ages.below)
        picked[fits] = position
    return picked


def read_folder(folder: Path) -> tuple[Instrument, ...]:
    """Read every instrument file of a folder, and the norm sets in its ``norms``.

    Raises
    ------
    DataProblems
        Every mistake in every file; two files with one id and version (INS-002); two forms of a family that share ages
        (INS-014).
    """
    problems: list[Problem] = []
    read: list[tuple[Path, Instrument]] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            read.append((path, read_document(path, Instrument)))
        except DataProblems as error:
            problems.extend(error.problems)
    for (first, one), (second, other) in combinations(read, 2):
        problems.extend(_clashes(first, one, second, other))
    if problems:
        raise DataProblems(problems)
    return with_norms([each for _, each in read], folder / FOLDER)


@cache
def _shipped() -> tuple[Instrument, ...]:
    return read_folder(shipped_folder("instruments"))


def _clashes(first: Path, one: Instrument, second: Path, other: Instrument) -> list[Problem]:
    """Faults that only show when two files are seen together."""
    if (one.id, one.version) == (other.id, other.version):
        line = read_yaml(second)[1].get(("version",))
        place = Place(second.name, line, column="version")
        return [SAME_VERSION.at(place, found=f"{other.id} version {other.version}", other=first.name)]
    a, b = _ages(one), _ages(other)
    if one.family == other.family and one.id != other.id and a.from_ < b.below and b.from_ < a.below:
        line = read_yaml(second)[1].get(("ages",))
        found = f"{b.from_:g} to {b.below:g} beside {a.from_:g} to {a.below:g}"
        return [SHARED_AGE.at(Place(second.name, line, column="ages"), found=found, other=one.id)]
    return []


def _ages(form: Instrument) -> Ages:
    return form.ages or ANY_AGE


def _refuse(kind: str, name: str, known: Sequence[str]) -> None:
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    advice = Phrase("Did you mean {name}? ", name=any_of(near)) if near else ""
    UNKNOWN.refuse(found=name, kind=kind, advice=advice)
