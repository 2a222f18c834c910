"""Wide files: one column for each wave becomes the one column of the wave that is imported.

``unfold: {wave: {w1: "*_pre", w2: "*_post"}}`` reads, at w1, ``hours_pre`` as ``hours``, and leaves ``hours_post`` out. The
rest of the mapping names these columns without what the pattern adds, so that it is the same at every wave.
"""

from __future__ import annotations

from collections.abc import Collection

from asp_eval.core.errors import DataProblems, Fault, Place
from asp_eval.intake.mapping.items import named
from asp_eval.intake.mapping.mapping import Mapping
from asp_eval.trial.instruments.library import Library

NO_PATTERN = Fault(
    "SCR-224",
    "the mapping's 'unfold' does not say which columns of the file are those of {wave}",
    "Add the wave there: 'unfold: {{wave: {{{wave}: \"*_NAME\"}}}}', with a * in the place of what the columns have in common "
    "at all waves.",
)
NO_COLUMNS = Fault(
    "SCR-225",
    "the mapping's 'unfold' says that the columns of {wave} are called {pattern}, and the file has none of that name",
    "Correct the pattern.",
)
IN_BOTH = Fault(
    "SCR-226",
    "the mapping's 'unfold' makes a column {name!r} of {column!r}, and the file has one of that name already",
    "Ignore the file's own column, or take it out of the export; or correct the pattern.",
)


def unfolded(mapping: Mapping, wave: str | None, columns: Collection[str], library: Library, source: str = "") -> Mapping:
    """Return what a mapping says of a file at one wave, ``unfold`` written out as 'rename' and 'ignore'.

    Parameters
    ----------
    mapping : Mapping
    wave : str, optional
        The one that is imported; None for a table without waves.
    columns : collection of str
        Of the export.
    library : Library
        The questionnaires that the study knows.
    source : str
        Name of the file, for faults.

    Raises
    ------
    DataProblems
        SCR-224 to SCR-226.
    """
    if mapping.unfold is None:
        return mapping
    patterns = mapping.unfold.wave
    if wave is None or wave not in patterns:
        raise DataProblems([NO_PATTERN.at(source, found=wave, wave=wave or "WAVE")])
    here, elsewhere = dict[str, str](), dict[str, str]()
    for column in columns:
        fitting = {each: name for each, pattern in patterns.items() if (name := _without(pattern, column))}
        if fitting:
            closest = min(fitting, key=lambda each: len(fitting[each]))  # of "*1" and "*_1" the one that takes more away
            if closest == wave:
                here[column] = fitting[wave]
            else:
                elsewhere[column] = fitting[closest]
    if not here:
        raise DataProblems([NO_COLUMNS.at(source, wave=wave, pattern=repr(patterns[wave]))])
    taken = [
        IN_BOTH.at(Place(source, column=column), name=name, column=column) for column, name in here.items() if name in columns
    ]
    if taken:
        raise DataProblems(taken)
    alone = set(elsewhere.values()) - set(here.values()) - set(columns)
    return _written_out(_without_parts(mapping, alone), here, list(elsewhere), library)


def _without(pattern: str, column: str) -> str | None:
    """Return a column's name without what a pattern adds; None if it does not fit."""
    before, after = pattern.split("*")
    fits = column.startswith(before) and column.endswith(after) and len(column) > len(before) + len(after)
    return column[len(before) : len(column) - len(after)] if fits else None


def _without_parts(mapping: Mapping, alone: set[str]) -> Mapping:
    """Return a mapping without what it says of columns that the file has at other waves alone."""
    rename = {name: ours for name, ours in mapping.rename.items() if name not in alone}
    gone = {mapping.rename.get(name, name) for name in alone} - set(rename.values())
    ignore = mapping.ignore if mapping.ignore == "others" else tuple(name for name in mapping.ignore if name not in gone)
    recode = {ours: labels for ours, labels in mapping.recode.items() if ours not in gone}
    truncate = {ours: to for ours, to in mapping.truncate.items() if ours not in gone}
    return mapping.model_copy(update={"rename": rename, "ignore": ignore, "recode": recode, "truncate": truncate})


def _written_out(mapping: Mapping, here: dict[str, str], elsewhere: list[str], library: Library) -> Mapping:
    made = set(here.values())
    items = {
        name: ours
        for form, pattern in mapping.rename_items.items()
        for name, ours in named(library.instrument(form), pattern).items()
    }
    rename = {name: ours for name, ours in mapping.rename.items() if name not in made}
    rename |= {column: mapping.rename.get(name, items.get(name, name)) for column, name in here.items()}
    ignore = mapping.ignore if mapping.ignore == "others" else (*mapping.ignore, *elsewhere)
    return mapping.model_copy(update={"unfold": None, "rename": rename, "ignore": ignore})
