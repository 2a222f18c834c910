"""``asp-eval forget``: one child's answers are taken out of a study, when consent is withdrawn."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

from asp_eval.core.file_sets import file_set
from asp_eval.core.phrases import Phrase
from asp_eval.core.progress import Cancel, Progress, never, stoppable, unheard
from asp_eval.intake.privacy.keys import load_key
from asp_eval.intake.privacy.pseudonyms import pseudonym
from asp_eval.store import Store, imports, ledger, ledger_frames, quarantine, write_for_people
from asp_eval.store.forgetting import erase, holding, kept_without
from asp_eval.store.sealed_files import MOVED
from asp_eval.trial.study.design import Study
from asp_eval.workflow.study_folder import AnyStudy, plan_of


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What became of a child's answers.

    Attributes
    ----------
    rows : mapping of str to int
        Rows taken out of each stored table, by its name, ``quarantine`` included.
    copies : tuple of str
        Files in ``data/`` that the child was taken out of, as they are called now.
    removed : tuple of str
        Files of ``output/`` that named the child and are gone, from the study folder.
    still_in : tuple of str
        Files of the study folder that hold the child still.
    """

    rows: Mapping[str, int]
    copies: tuple[str, ...]
    removed: tuple[str, ...]
    still_in: tuple[str, ...]

    def as_dict(self) -> dict[str, object]:
        """Return it as plain values."""
        lists = {"copies": self.copies, "removed": self.removed, "still_in": self.still_in}
        return {"rows": dict(self.rows), **{name: list(files) for name, files in lists.items()}}


def forget(
    study: AnyStudy, child: str, *, copies: bool = False, progress: Progress = unheard, cancel: Cancel = never
) -> Forgotten:
    """Take one child's answers out of every table, out of quarantine and, if asked for, out of the files in ``data/``.

    The ledger says that it was done, and when, and how many rows of which file are gone; it does not say whose. Results are out
    of date afterwards, as after an import. A later file that has the child brings it in again: take it out of the file first.

    Parameters
    ----------
    study : Study or StudyFolder
    child : str
        The id as it is stored; where the study has pseudonyms of children, the id itself will do.
    copies : bool
        Rewrite the files in ``data/`` that have the child, without it: each becomes CSV that stands for the file.
    progress, cancel : callable, optional
        See `asp_eval.core.progress`.

    Returns
    -------
    Forgotten

    Raises
    ------
    Refusal
        STO-060 if the study does not have the child; STO-047 if a file was imported meanwhile.
    """
    plan, step = plan_of(study), stoppable(progress, cancel)
    ids, store, data = _ids(plan, child), Store.of(plan), plan.folder / "data"
    step(Phrase("reading"), 0)
    with store.reading() as connection:
        known = imports.imports(ledger.entries(connection)) if connection else ()
    held = [*holding(known, ids, data)]
    step(Phrase("storing"), 0.5)
    output = store.output
    removed = [*_naming(output / "problems", ids)]
    with (
        kept_without(held if copies else [], store) as kept,
        file_set(output) as new,
        store.writing(new, *kept.files, anew=True) as connection,
    ):
        if imports.imports(ledger.entries(connection)) != known:  # a file came in meanwhile, and may have the child
            MOVED.refuse("study.duckdb")
        erased = erase(connection, ids, plan.wave_ids, kept.copies)
        write_for_people(new, ledger_frames(connection, plan))
        waiting = quarantine.waiting(connection)
        paths = {quarantine.path_of(one.body.table_name, one.body.wave, one.body.part) for one in known}
        quarantine.write_files(new, waiting, plan.library, sorted(paths))
        for page in removed:
            new.remove(page.relative_to(output).as_posix())
    still = [*_naming(output, ids)] + ([] if copies else [data / one.file for one, _ in held])
    return Forgotten(
        erased.rows, tuple(copy.file for copy in kept.copies.values()), _from_folder(plan, removed), _from_folder(plan, still)
    )


def _ids(study: Study, child: str) -> frozenset[str]:
    """Return a child's id, in every way it may be stored."""
    ids = {child.strip()}
    if "child_id" in study.privacy.pseudonymise and study.privacy.key:
        ids.add(pseudonym(child, "child", load_key(study.privacy.key, study.folder)))
    return frozenset(ids)


def _naming(folder: Path, ids: Collection[str]) -> Iterator[Path]:
    """Yield the text files and workbooks below a folder that name a child."""
    pattern = re.compile("|".join(rf"(?<![\w.-]){re.escape(each)}(?![\w.-])" for each in ids))
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if pattern.search(_text_of(path)):
            yield path


def _text_of(path: Path) -> str:
    """Return what stands in a text file, or in the parts of a workbook; of other files nothing."""
    if path.suffix in (".csv", ".html", ".json"):
        return path.read_text(encoding="utf-8", errors="replace")
    if path.suffix == ".xlsx":
        with ZipFile(path) as book:
            return "\n".join(book.read(name).decode("utf-8", errors="replace") for name in book.namelist())
    return ""


def _from_folder(study: Study, paths: Collection[Path]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(path.relative_to(study.folder).as_posix() for path in paths))
