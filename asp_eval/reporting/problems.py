"""Lists of faults after an import: a page for each institution with its own rows, one of all for the evaluator, and a CSV.

A page for an institution holds nothing of any other: only rows whose institution is on the study's list have one, and what is
said of them comes from `asked`, never from a fault's own words, which may name what stands elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd

from asp_eval.core.csv_text import write_csv
from asp_eval.core.documents import write_whole
from asp_eval.core.errors import DataProblems, Problem
from asp_eval.core.filenames import safe_stems
from asp_eval.intake.checks.validation import NothingAccepted
from asp_eval.reporting.documents import page_name, render_problems, translations_of
from asp_eval.reporting.language import fault_words
from asp_eval.reporting.problem_pages import Batch, Line, evaluators_page, institutions_page
from asp_eval.reporting.views import ProblemsView
from asp_eval.store import table
from asp_eval.store.import_report import ImportReport
from asp_eval.store.quarantine_reasons import waiting_rows
from asp_eval.trial.study.design import Study

OF_ALL = "all"
FAULTS = "faults"


def write_problem_pages(study: Study, report: ImportReport, output: Path | None = None) -> tuple[Path, ...]:
    """Write what is wrong with a table and wave after an import; remove what an earlier import said of it.

    Parameters
    ----------
    study : Study
    report : ImportReport
    output : Path, optional
        By default the study's ``output``. The pages are in ``problems/<table>-<wave>`` below it.

    Returns
    -------
    tuple of Path
        ``faults.csv``, ``all.html`` and a page for each institution with rows that wait, in every language of the study; none
        if nothing is wrong, nothing was stored, or the file stood already.
    """
    if report.already or not report.stored:
        return ()
    folder = _folder(study, output, report.table, report.wave)
    _write(folder.with_name(f"{folder.name}-refused"), {})
    waits = waiting_rows(study, report.table, report.wave)
    lines = [
        Line(problem, one.file, one.row, one.institution, one.unit, one.called, one.labels)
        for one in waits
        for problem in one.problems
    ]
    lines += [
        Line(problem, report.file, problem.place.row, *_told(problem, report.institutions, report.units))
        for problem in report.problems
        if problem.severity == "warning" or problem.place.row is None
    ]
    return _pages(study, folder, Batch(study, report.file, report.table, report.wave, tuple(lines)))


def write_refused_pages(
    study: Study, error: DataProblems, name: str, wave: str | None, output: Path | None = None
) -> tuple[Path, ...]:
    """Write what is wrong with a file that was refused whole, beside what waits from earlier files.

    Parameters
    ----------
    study : Study
    error : DataProblems
    name, wave : str
        Table and wave.
    output : Path, optional
        By default the study's ``output``. The pages are in ``problems/<table>-<wave>-refused`` below it.

    Returns
    -------
    tuple of Path
        None if nothing is wrong with any row.
    """
    if not any(problem.place.row is not None for problem in error.problems):
        return ()
    institutions, units = (error.institutions, error.units) if isinstance(error, NothingAccepted) else ({}, {})
    lines = tuple(
        Line(problem, problem.place.source, problem.place.row, *_told(problem, institutions, units)) for problem in error.problems
    )
    folder = _folder(study, output, name, wave)
    batch = Batch(study, lines[0].file, name, wave, lines, refused=True)
    return _pages(study, folder.with_name(f"{folder.name}-refused"), batch)


def _folder(study: Study, output: Path | None, name: str, wave: str | None) -> Path:
    return (output or study.folder / "output") / "problems" / (f"{name}-{wave}" if wave else name)


def _told(problem: Problem, institutions: Mapping[int, str], units: Mapping[int, str]) -> tuple[str | None, str | None]:
    row = problem.place.row
    return (None, None) if row is None else (institutions.get(row), units.get(row))


def _pages(study: Study, folder: Path, batch: Batch) -> tuple[Path, ...]:
    """Write everything there is to say, and remove what is no longer so."""
    if not batch.lines:
        return _write(folder, {})
    listed = table(study, "institutions")
    known = [str(one) for one in listed["institution_id"]] if len(listed) else []
    stems = dict(zip(known, safe_stems([OF_ALL, FAULTS, *known])[2:], strict=True))
    counts = _stored(study, batch)
    names = dict(zip(known, listed["name"].fillna(""), strict=True)) if _names_shown(study, listed) else {}
    asked = (line for line in batch.lines if line.is_for_institutions and line.problem.severity == "error")
    at_fault = sorted({line.institution for line in asked if line.institution in stems})  # a warning alone asks nothing of them
    files: dict[str, str] = {}
    for language in study.languages:
        for id_ in at_fault:
            page = institutions_page(batch, id_, str(names.get(id_) or ""), counts.get(id_, 0), language)
            files[page_name(stems[id_], language, study.languages)] = render_problems(_linked(page, stems[id_], study.languages))
        links = [(page_name(stems[id_], language, study.languages), id_) for id_ in at_fault]
        page = evaluators_page(batch, links, language)
        files[page_name(OF_ALL, language, study.languages)] = render_problems(_linked(page, OF_ALL, study.languages))
    return _write(folder, files, _frame(batch, study.languages[0]))


def _linked(view: ProblemsView, stem: str, languages: Iterable[str]) -> ProblemsView:
    """Return the view of a page with links to the same page in the other languages."""
    return replace(view, page=replace(view.page, translations=translations_of(stem, view.page.language, tuple(languages))))


def _names_shown(study: Study, listed: pd.DataFrame) -> bool:
    return study.privacy.show_institution_names and "name" in listed


def _stored(study: Study, batch: Batch) -> dict[str, int]:
    """Return how many rows of each institution are stored, in the table and wave of the file."""
    rows = table(study, batch.table)
    if "wave" in rows and batch.wave is not None:
        rows = rows.loc[rows["wave"].astype(str) == batch.wave]
    return {str(id_): int(n) for id_, n in rows["institution_id"].value_counts().items()} if len(rows) else {}


def _frame(batch: Batch, language: str) -> pd.DataFrame:
    return pd.DataFrame(list(_records(batch.lines, language))).astype({"row": "Int64"})


def _records(lines: Iterable[Line], language: str) -> Iterator[dict[str, object]]:
    """Yield the faults as the CSV has them, in the words of the screen."""
    words = fault_words(language)
    for line in lines:
        said = line.problem.within(words)
        yield {
            "code": said.code, "severity": said.severity, "file": line.file, "row": line.row, "column": said.place.column,
            "found": said.found, "expected": said.expected, "text": said.text, "remedy": said.remedy,
            "institution_id": line.institution, "child_id": line.unit,
        }  # fmt: skip


def _write(folder: Path, files: Mapping[str, str], faults: pd.DataFrame | None = None) -> tuple[Path, ...]:
    """Write the pages and the CSV of a folder, and remove all others."""
    written = []
    if faults is not None:
        write_csv(folder / f"{FAULTS}.csv", faults, excel=True)
        written.append(folder / f"{FAULTS}.csv")
    for name in sorted(files, key=lambda name: (not name.startswith(OF_ALL + "."), name)):
        write_whole(folder / name, files[name])
        written.append(folder / name)
    if folder.is_dir():
        for path in folder.iterdir():
            if path not in written and (path.suffix == ".html" or path.name == f"{FAULTS}.csv"):
                path.unlink()
        if not any(folder.iterdir()):
            folder.rmdir()
    return tuple(written)
