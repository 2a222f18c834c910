"""``asp-eval import --propose``: a draft of the mapping by which a file is imported."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from asp_eval.core.errors import Problem
from asp_eval.core.phrases import Phrase
from asp_eval.core.progress import Cancel, Progress, never, stoppable, unheard
from asp_eval.intake.mapping.mapping import Mapping
from asp_eval.intake.proposing.draft_sheet import draft_sheet
from asp_eval.intake.proposing.drafting import draft
from asp_eval.intake.proposing.proposing import propose as find_out
from asp_eval.intake.proposing.proposing import write_proposal
from asp_eval.intake.table import Table
from asp_eval.trial.tables.parts import part_name
from asp_eval.trial.tables.schema import wave_options
from asp_eval.workflow.study_folder import AnyStudy, plan_of


@dataclass(frozen=True, slots=True)
class ProposedMapping:
    """A mapping that is proposed for a file.

    Attributes
    ----------
    source : str
        Name of the file.
    table, wave : str
        What the file is proposed to be imported as; None for a table without waves.
    part : str
        The part that it is; empty for the whole.
    complete : bool
        Whether it can be used as it is; else a person has to fill in what is marked.
    mapping : str
        The mapping file, with a reason on every line.
    account : tuple of str
        What was found, and what was not, a line each.
    written : Path or None
        Where it was written.
    """

    source: str
    table: str
    wave: str | None
    part: str
    complete: bool
    mapping: str
    account: tuple[str, ...]
    written: Path | None

    @property
    def trial_options(self) -> str:
        """The options of ``asp-eval import`` that show what an import by the mapping would do, without storing anything."""
        return f"--table {self.table}{wave_options(self.wave, self.part)} --dry-run"


def propose(
    study: AnyStudy,
    file: str | Path,
    table: str | None = None,
    wave: str | None = None,
    *,
    part: str | None = None,
    write: bool = True,
    xlsx: bool = False,
    progress: Progress = unheard,
    cancel: Cancel = never,
) -> ProposedMapping:
    """Draft the mapping of a file, and write it beside the file; nothing is imported.

    Parameters
    ----------
    study : Study or StudyFolder
    file : str or Path
    table : str, optional
        By default the one that explains the file best.
    wave : str, optional
        Needed for tables by wave, unless the study collects it at one wave only.
    part : str, optional
        As for the import.
    write : bool
        Write ``<file>.mapping.yaml``.
    xlsx : bool
        Write it as a sheet to fill in, ``<file>.mapping.xlsx``, which the import reads as it reads the other.
    progress, cancel : callable, optional
        See `asp_eval.core.progress`.

    Raises
    ------
    Refusal
        SCR-188 if there is a mapping already; SCR-189 if the table cannot be told.
    DataProblems
        If the file cannot be read.
    """
    step = stoppable(progress, cancel)
    reading = Phrase("reading")
    step(reading, 0)
    plan = plan_of(study)

    def directions(read: Table, mapping: Mapping) -> Iterable[Problem]:
        from asp_eval.analysis.wave_directions import file_directions  # statistics: loaded where there are answers

        return file_directions(plan, read, mapping)

    name = part_name(part, table or "")
    found = find_out(
        plan, file, table, wave, part=name, progress=lambda done, total: step(reading, done / total), further=directions
    )
    text = draft(found)
    written = write_proposal(Path(file), draft_sheet(found) if xlsx else text) if write else None
    return ProposedMapping(found.source, found.table, found.wave, name, found.complete, text, tuple(found.account()), written)
