"""Lists of faults after an import: a page for each institution with its own rows, one of all for the evaluator, and a CSV.

Only institutions on the study's list have a page, each with its own rows alone. What makes the pages is loaded only where
something is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from asp_eval.core.csv_text import write_csv
from asp_eval.core.documents import write_whole
from asp_eval.core.errors import DataProblems, Problem
from asp_eval.core.file_sets import file_set
from asp_eval.intake.checks.validation import NothingAccepted
from asp_eval.store import Store, table
from asp_eval.store.import_report import ImportReport
from asp_eval.store.quarantine_reasons import waiting_rows
from asp_eval.trial.study.design import Study
from asp_eval.trial.tables.schema import TableSchema

if TYPE_CHECKING:
    import pandas as pd

    from asp_eval.reporting.documents.problem_pages import Recipient
    from asp_eval.reporting.sections.problems import Batch

CSV_FILE = "faults.csv"


def write_problem_pages(study: Study, report: ImportReport) -> tuple[Path, ...]:
    """Write what is wrong with a table and wave after an import; remove what an earlier import said of it.

    Parameters
    ----------
    study : Study
    report : ImportReport

    Returns
    -------
    tuple of Path
        ``faults.csv``, ``all.html`` and a page for each institution with rows that wait, in every language of the study, in
        ``output/problems/<table>-<wave>``; none if nothing is wrong, nothing was stored, or the file stood already.
    """
    if report.already or not report.stored:
        return ()
    folder = _folder(study, report.table, report.wave, report.part or "")
    _write(folder.with_name(f"{folder.name}-refused"), {})
    warned = [problem for problem in report.problems if problem.severity == "warning" or problem.place.row is None]
    with Store.of(study).reading():
        waits = waiting_rows(study, report.table, report.wave, report.part or "")
        wrong = bool(warned) or any(one.problems for one in waits)
        recipients = _recipients(study, report.table, report.wave) if wrong else []
    if not wrong:
        return _write(folder, {})
    from asp_eval.reporting.sections.problems import Batch, Line

    lines = [
        Line(problem, one.file, one.row, one.institution, one.unit, one.called, one.labels)
        for one in waits
        for problem in one.problems
    ]
    lines += [
        Line(problem, report.file, problem.place.row, *_told(problem, report.institutions, report.units)) for problem in warned
    ]
    return _pages(folder, Batch(study, report.file, report.table, report.wave, tuple(lines)), recipients)


def write_refused_pages(study: Study, error: DataProblems, schema: TableSchema) -> tuple[Path, ...]:
    """Write what is wrong with a file that was refused whole, beside what waits from earlier files.

    Parameters
    ----------
    study : Study
    error : DataProblems
    schema : TableSchema
        Of the table, wave and part that the file is for.

    Returns
    -------
    tuple of Path
        In ``output/problems/<table>-<wave>-refused``; none if nothing is wrong with any row.
    """
    if not any(problem.place.row is not None for problem in error.problems):
        return ()
    from asp_eval.reporting.sections.problems import Batch, Line

    institutions, units = (error.institutions, error.units) if isinstance(error, NothingAccepted) else ({}, {})
    lines = tuple(
        Line(problem, problem.place.source, problem.place.row, *_told(problem, institutions, units)) for problem in error.problems
    )
    folder = _folder(study, schema.name, schema.wave, schema.part)
    batch = Batch(study, lines[0].file, schema.name, schema.wave, lines, refused=True)
    with Store.of(study).reading():
        recipients = _recipients(study, schema.name, schema.wave)
    return _pages(folder.with_name(f"{folder.name}-refused"), batch, recipients)


def _folder(study: Study, name: str, wave: str | None, part: str) -> Path:
    return Store.of(study).output / "problems" / "-".join(filter(None, (name, wave, part and f"part-{part}")))


def _told(problem: Problem, institutions: Mapping[int, str], units: Mapping[int, str]) -> tuple[str | None, str | None]:
    row = problem.place.row
    return (None, None) if row is None else (institutions.get(row), units.get(row))


def _pages(folder: Path, batch: Batch, recipients: Sequence[Recipient]) -> tuple[Path, ...]:
    """Write everything there is to say, and remove what is no longer so."""
    from asp_eval.reporting.documents.problem_pages import problem_pages
    from asp_eval.reporting.language import languages_with_words
    from asp_eval.reporting.sections.problems import fault_rows

    first = languages_with_words(batch.study.languages)[0]
    return _write(folder, problem_pages(batch, recipients), fault_rows(batch, first))


def _recipients(study: Study, name: str, wave: str | None) -> list[Recipient]:
    """Return the institutions of the study, with how many rows of each are stored in a table and wave."""
    from asp_eval.reporting.documents.problem_pages import Recipient

    listed = table(study, "institutions")
    known = [str(one) for one in listed["institution_id"]] if len(listed) else []
    names = dict(zip(known, listed["name"].fillna(""), strict=True)) if _names_shown(study, listed) else {}
    stored = _stored(study, name, wave)
    return [Recipient(id_, str(names.get(id_) or ""), stored.get(id_, 0)) for id_ in known]


def _names_shown(study: Study, listed: pd.DataFrame) -> bool:
    return study.privacy.show_institution_names and "name" in listed


def _stored(study: Study, name: str, wave: str | None) -> dict[str, int]:
    """Return how many rows of each institution are stored in a table and wave."""
    rows = table(study, name)
    if "wave" in rows and wave is not None:
        rows = rows[rows["wave"].astype(str) == wave]
    return {str(id_): int(n) for id_, n in rows["institution_id"].value_counts().items()} if len(rows) else {}


def _write(folder: Path, files: Mapping[str, str], faults: pd.DataFrame | None = None) -> tuple[Path, ...]:
    """Write the pages and the CSV of a folder, and remove all others."""
    if not files and faults is None and not folder.is_dir():
        return ()
    output = folder.parent.parent
    with file_set(output) as new:
        inner = folder.relative_to(output).as_posix()
        if faults is not None:
            write_csv(new.path(f"{inner}/{CSV_FILE}"), faults, excel=True)
        for name in sorted(files, key=lambda name: (not name.startswith("all."), name)):
            write_whole(new.path(f"{inner}/{name}"), files[name])
        earlier = [path.name for path in folder.iterdir()] if folder.is_dir() else []
        new.remove(*(f"{inner}/{name}" for name in earlier if name.endswith(".html") or name == CSV_FILE))
        return tuple(new.place(name) for name in new.names)
