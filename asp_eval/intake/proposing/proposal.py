"""What was found out about a file for the draft of its mapping."""

from __future__ import annotations

from dataclasses import dataclass

from asp_eval.core.errors import Problem
from asp_eval.intake.files.raw import Dialect
from asp_eval.intake.proposing.answers import Recode
from asp_eval.intake.proposing.settings import Setting
from asp_eval.intake.recognition.column_matching import Guess
from asp_eval.intake.recognition.questionnaires import Found


@dataclass(frozen=True, slots=True)
class Proposal:
    """What was found out about a file.

    Attributes
    ----------
    source : str
        Name of the file.
    dialect : Dialect
        How it was written, as detected.
    table, wave
        What it is proposed to be imported as.
    columns, items
        What columns are, for certain.
    unsure_columns, unsure_items
        What columns could be, each with what speaks against it.
    recodes : tuple of Recode
        Of the columns that are certain.
    settings : tuple of Setting
        Of the file as a whole: dates, decimal mark, cells declared missing, days to be dropped.
    ignored : tuple of (column, reason)
    left : tuple of str
        Columns that look like nothing, while something that is needed is not found: one of these may be it.
    wanted : tuple of (column or instruments, reason)
        What is needed and not found.
    absent : tuple of str
        Columns the table may have, and the file seems not to.
    harmless, doubtful : tuple of (column, reason)
        Columns that are wanted and are marked or called as if they identified a person: what shows that they do not, or what has
        to be decided.
    refusals : tuple of Problem
        For what the import would refuse the file, read with the draft as it is.
    """

    source: str
    dialect: Dialect
    table: str
    wave: str | None
    columns: tuple[Guess, ...]
    items: tuple[Found, ...]
    unsure_columns: tuple[Guess, ...]
    unsure_items: tuple[Found, ...]
    recodes: tuple[Recode, ...]
    settings: tuple[Setting, ...]
    ignored: tuple[tuple[str, str], ...]
    left: tuple[str, ...]
    wanted: tuple[tuple[str, str], ...]
    absent: tuple[str, ...]
    harmless: tuple[tuple[str, str], ...] = ()
    doubtful: tuple[tuple[str, str], ...] = ()
    refusals: tuple[Problem, ...] = ()

    @property
    def found_everything(self) -> bool:
        """Whether nothing is left for a person to fill in or to decide."""
        return not (
            self.wanted
            or self.unsure_columns
            or self.unsure_items
            or self.doubtful
            or any(recode.open for recode in self.recodes)
        ) and all(setting.value is not None for setting in self.settings)

    @property
    def complete(self) -> bool:
        """Whether the mapping can be used as it is."""
        return self.found_everything and not self.refusals

    def account(self) -> list[str]:
        """Return what was found, and what was not, a line each."""
        found = f"{len(self.columns)} columns" + "".join(f", {len(each.columns)} items of {each.form}" for each in self.items)
        doubted = {guess.ours for guess in self.unsure_columns}
        open_ = [f"needed and not found: {name} ({why})" for name, why in self.wanted if name not in doubted]
        open_ += [f"unsure: {guess.column}, perhaps {guess.ours} ({guess.why})" for guess in self.unsure_columns]
        open_ += [f"to be filled in: what the answers of {recode.part} mean" for recode in self.recodes if recode.open]
        open_ += [f"to be filled in: {each.inner or each.key} ({each.why})" for each in self.settings if each.value is None]
        open_ += [f"to be decided: whether {column} identifies a person ({why})" for column, why in self.doubtful]
        open_ += [f"the import would refuse the file: {told}" for told in self.refused_for()]
        left = [f"left out: {', '.join(name for name, _ in self.ignored)}"] if self.ignored else []
        return [f"found: {found}", *left, *open_]

    def refused_for(self) -> list[str]:
        """Return for what the import would refuse the file: the first problem of each kind, and how many more there are."""
        kinds: dict[str, list[Problem]] = {}
        for problem in self.refusals:
            kinds.setdefault(problem.code, []).append(problem)
        return [f"{first}" + (f" And {len(more)} more like it." if more else "") for first, *more in kinds.values()]
