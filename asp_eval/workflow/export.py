"""``asp-eval export``: what a study holds, as files for one's own analysis; or the schemas of the files it imports."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from asp_eval.core.documents import write_whole
from asp_eval.core.errors import Fault
from asp_eval.core.file_sets import file_set
from asp_eval.core.phrases import Phrase
from asp_eval.core.progress import Cancel, Progress, never, stoppable, unheard
from asp_eval.store.ledger import ExportBody
from asp_eval.store.provenance import one_moment
from asp_eval.store.sealed_files import sealed_files
from asp_eval.workflow.analysis_files import analysis_files
from asp_eval.workflow.export_files import PACKAGE, Format, write_analysis_files, write_schemas
from asp_eval.workflow.headline_script import SCRIPT, headline_script
from asp_eval.workflow.study_folder import AnyStudy, output_of, plan_of

NOT_A_FOLDER = Fault("CLI-011", "the export cannot be written there: it is not a folder", "Name a folder after --to.")
NOT_OURS = Fault(
    "CLI-012",
    "the folder holds a datapackage.json that no export of this study wrote, and it will not be overwritten",
    "Name another folder after --to.",
)
NOTHING = Fault("CLI-013", "there is nothing to export: no file was imported yet", "Give 'asp-eval import' first.")
CODEBOOK_ALONE = 1  # file


@dataclass(frozen=True, slots=True)
class Export:
    """Files that were exported.

    Attributes
    ----------
    folder : Path
    files : tuple of Path
        The data package last.
    left_out : tuple of str
        Columns that are stored and not exported, as ``table.column``.
    notes : tuple of Phrase
        What could not be exported yet, and what to do.
    """

    folder: Path
    files: tuple[Path, ...]
    left_out: tuple[str, ...] = ()
    notes: tuple[Phrase, ...] = ()


def export(
    study: AnyStudy,
    folder: str | Path | None = None,
    *,
    form: Format = "csv",
    progress: Progress = unheard,
    cancel: Cancel = never,
) -> Export:
    """Write tables, scores, analysis sets and a codebook for one's own analysis.

    No names, and no text in people's own words. Small numbers are not hidden in these files: they are not for publication.

    Parameters
    ----------
    study : Study or StudyFolder
    folder : str or Path, optional
        By default ``output/export`` in the study folder.
    form : {"csv", "excel", "parquet"}
        ``excel`` is CSV with semicolons and decimal commas.
    progress, cancel : callable, optional
        See `asp_eval.core.progress`.

    Raises
    ------
    Refusal
        CLI-011 and CLI-012 for a folder that is none, or holds the data package of something else; CLI-013 if nothing was
        imported.
    """
    plan, step = plan_of(study), stoppable(progress, cancel)
    target = Path(folder) if folder else output_of(plan) / "export"
    _refuse_foreign(target, f"{plan.study.id}-export".lower())
    step(Phrase("reading"), 0)
    with one_moment(plan) as state:
        found = analysis_files(plan)
    if len(found.files) == CODEBOOK_ALONE:
        NOTHING.refuse(plan.folder.name)
    step(Phrase("writing"), 0.5)

    def entry(files: Mapping[str, str]) -> ExportBody:
        return ExportBody(state=state, format=form, folder=target.name, files=files)

    with sealed_files(plan, state, entry, target) as new:
        write_analysis_files(plan, found.files, new, form)
        if script := headline_script(plan, found.sets, found.results, form):
            write_whole(new.path(SCRIPT), script)
        files = tuple(new.place(name) for name in new.names)
    return Export(target, files, found.left_out, found.notes)


def export_schemas(study: AnyStudy, folder: str | Path | None = None) -> Export:
    """Write the schemas of the files that a study imports, and no data.

    Parameters
    ----------
    study : Study or StudyFolder
    folder : str or Path, optional
        By default ``output/schemas`` in the study folder.

    Raises
    ------
    Refusal
        CLI-011 and CLI-012 for a folder that is none, or holds the data package of something else.
    """
    plan = plan_of(study)
    target = Path(folder) if folder else output_of(plan) / "schemas"
    _refuse_foreign(target, f"{plan.study.id}-import".lower())
    with file_set(target) as new:
        write_schemas(plan, new)
    return Export(target, tuple(new.place(name) for name in new.names))


def _refuse_foreign(folder: Path, name: str) -> None:
    """Refuse what is not a folder, or holds the data package of something else."""
    if folder.exists() and not folder.is_dir():
        NOT_A_FOLDER.refuse(str(folder))
    package = folder / PACKAGE
    if package.exists():
        try:
            found = json.loads(package.read_text(encoding="utf-8")).get("name")
        except (ValueError, AttributeError):
            found = None
        if found != name:
            NOT_OURS.refuse(str(package), found=found, expected=name)
