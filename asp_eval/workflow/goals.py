"""``asp-eval goals import``: worksheets that came back, one or many, each taken in or listed with its reason."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from asp_eval.core.errors import AspError, DataProblems, Fault, Problem
from asp_eval.core.filenames import safe_stem
from asp_eval.core.phrases import Phrase
from asp_eval.core.progress import Cancel, Progress, never, part_of, unheard
from asp_eval.intake.files.goal_workbook import sheets_apart
from asp_eval.intake.files.raw import SPACES, RawTable
from asp_eval.intake.mapping.mapping import mapping_beside
from asp_eval.intake.pipeline import EXPOSED, IncomingFile, mapped_file, refuse_correction
from asp_eval.intake.privacy.keys import lies_in_study
from asp_eval.store.import_report import ImportReport
from asp_eval.store.parts import part_of_each
from asp_eval.trial.study.design import Study
from asp_eval.trial.tables.schema import TableSchema, table_schema
from asp_eval.workflow.import_file import import_as_read
from asp_eval.workflow.study_folder import AnyStudy, plan_of

GOALS = "goals"
TWICE = Fault(
    "GOA-003",
    "another file that is given with it has the same goals, and says otherwise ({other})",
    "See which of the two is right, and give that one alone.",
)
# Columns that survey systems add to what was asked; no column of the table has such a name.
ADDED = frozenset(
    {"start", "end", "today", "deviceid", "username", "phonenumber", "email", "one_by_one", "SubmissionDate", "KEY"}
)
ADDED_BEGIN = ("_", "meta/", "meta-", "formhub/", "instance", "Submitter", "Device")

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class GoalFile:
    """What became of one file.

    Attributes
    ----------
    file : str
        Its name; of a workbook with a worksheet for each institution, with the sheet: ``returned.xlsx (i07)``.
    report : ImportReport or None
        None of a file, or a sheet, that was refused as a whole.
    problems : tuple of Problem
        Everything that is wrong with it, and what is to be told.
    """

    file: str
    report: ImportReport | None
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class GoalsImport:
    """What became of the files, in the order in which they were given."""

    files: tuple[GoalFile, ...]

    @property
    def refused(self) -> tuple[GoalFile, ...]:
        """The files that were refused as a whole."""
        return tuple(each for each in self.files if each.report is None)

    @property
    def account(self) -> Phrase:
        """What became of all of them, in a sentence."""
        reports = [each.report for each in self.files if each.report is not None]
        return Phrase(
            "{n} of {all} files are in, with {goals} goals; {refused} refused, {waiting} rows wait in quarantine.",
            n=len(reports),
            all=len(self.files),
            goals=sum(one.accepted for one in reports),
            refused=len(self.refused),
            waiting=sum(one.quarantined for one in reports),
        )


def import_goals(
    study: AnyStudy,
    files: Sequence[str | Path],
    *,
    replace: bool = False,
    dry_run: bool = False,
    progress: Progress = unheard,
    cancel: Cancel = never,
) -> GoalsImport:
    """Take in worksheets of staff meetings: spreadsheets, exports of the form, or tables with the columns of the table of goals.

    Of a workbook with more than one worksheet, each sheet counts as a file of its own, and is kept as CSV. Each file is a part
    of the table, named after its institution. One that has a goal which stands already takes the place of the file that it came
    with: so a sheet is sent again when it is known how it went. A file or a sheet at fault keeps no other out.

    Parameters
    ----------
    study : Study or StudyFolder
    files : sequence of str or Path
    replace : bool
        Let a file take the place of one that has goals which this one has not: they vanish.
    dry_run : bool
        Check everything, store and keep nothing.
    progress, cancel : callable, optional
        See `asp_eval.core.progress`.

    Returns
    -------
    GoalsImport
        Refusals stand in it, file by file; none is raised.
    """
    plan = plan_of(study)
    schema = table_schema(GOALS, plan)
    with TemporaryDirectory() as folder:
        pairs = [
            pair for number, file in enumerate(files) for pair in _given(Path(file), Path(folder) / str(number), schema, plan)
        ]
        given, looked = [one for one, _ in pairs], [look for _, look in pairs]
        twice = _given_twice(given, looked)
        done = []
        for number, (one, look) in enumerate(zip(given, looked, strict=True)):
            step = part_of(progress, number / len(given), (number + 1) / len(given), one.name)
            if isinstance(look, AspError):
                done.append(GoalFile(one.name, None, one.named(look.problems)))
            elif one.path in twice:
                done.append(GoalFile(one.name, None, (TWICE.at(one.name, other=twice[one.path]),)))
            else:
                done.append(_taken_in(plan, one, look, schema, replace=replace, dry_run=dry_run, progress=step, cancel=cancel))
    return GoalsImport(tuple(done))


@dataclass(frozen=True, slots=True)
class _Given:
    """A file, or a sheet of a workbook as a file of its own: where it is, what people call it, and why it cannot be read."""

    path: Path
    name: str
    came_in: Path
    problems: tuple[Problem, ...] = ()

    def named(self, problems: Iterable[Problem]) -> tuple[Problem, ...]:
        """Return problems, those of the file under the name that people know."""
        known = {self.path.name, str(self.path)}
        return tuple(
            dataclasses.replace(each, place=dataclasses.replace(each.place, source=self.name))
            if each.place.source in known
            else each
            for each in problems
        )


def _given(path: Path, folder: Path, schema: TableSchema, study: Study) -> list[tuple[_Given, _Look | AspError]]:
    """Return a file and the look at it; of a workbook with more than one worksheet, its sheets, written into a folder."""
    memo = dict[str, Any]()
    if mapping_beside(path) is None:
        try:
            if sheets := sheets_apart(path, folder, memo):
                named = [(each, f"{path.name} ({each.name})") for each in sheets]
                apart = [_Given(each.file, name, path, tuple(_at(name, each.problems))) for each, name in named]
                return [(one, _looked(one, schema, study, {})) for one in apart]
        except DataProblems:
            pass  # of the whole file: the look at it says so
    whole = _Given(path, path.name, path)
    return [(whole, _looked(whole, schema, study, memo))]


def _at(name: str, problems: Iterable[Problem]) -> Iterator[Problem]:
    return (dataclasses.replace(each, place=dataclasses.replace(each.place, source=name)) for each in problems)


@dataclass(frozen=True, slots=True)
class _Look:
    """A first look at a file: as it was read, the goals it has, and the columns that a survey system added."""

    raw: RawTable
    keys: frozenset[Key]
    added: tuple[str, ...]


def _looked(one: _Given, schema: TableSchema, study: Study, memo: dict[str, Any]) -> _Look | AspError:
    """Look at a file without taking it in; what is wrong with it is returned."""
    if one.problems:
        return DataProblems(one.problems)
    try:
        incoming = IncomingFile.at(one.path, schema, study=study)
        raw = incoming.read(memo=memo)
        refuse_correction(raw)
        file = mapped_file(incoming, raw)
        if file.protected.changed and lies_in_study(one.came_in, study.folder):
            EXPOSED.refuse(one.name)
        mapped = file.mapped
    except AspError as error:
        return error
    cells = [mapped.columns[name].cells() if name in mapped.columns else [""] * len(mapped) for name in schema.key]
    keys = {(str(institution).strip(SPACES), str(goal).strip(SPACES)) for institution, goal in zip(*cells, strict=True)}
    added = () if incoming.mapping_file else tuple(name for name in mapped.columns if _is_added(name))
    return _Look(raw, frozenset(keys), added)


def _is_added(column: str) -> bool:
    return column in ADDED or column.startswith(ADDED_BEGIN)


def _given_twice(given: Sequence[_Given], looked: Sequence[_Look | AspError]) -> dict[Path, str]:
    """Return the files that have a goal in common with another, which is not the same file under another name."""
    having: dict[Key, list[tuple[_Given, str]]] = defaultdict(list)
    for one, look in zip(given, looked, strict=True):
        if isinstance(look, _Look):
            for key in look.keys:
                having[key].append((one, look.raw.sha256))
    found: dict[Path, str] = {}
    for givers in having.values():
        for one, digest in givers:
            if other := next((each.name for each, theirs in givers if theirs != digest), ""):
                found.setdefault(one.path, other)
    return found


def _taken_in(
    study: Study,
    one: _Given,
    look: _Look,
    schema: TableSchema,
    *,
    replace: bool,
    dry_run: bool,
    progress: Progress,
    cancel: Cancel,
) -> GoalFile:
    part = _part(one.path, look.keys, part_of_each(study, GOALS, schema.key))
    try:
        with _mapping(one.path, look.added) as mapping:
            report = import_as_read(
                study,
                one.path,
                table_schema(GOALS, study, None, part),
                look.raw,
                mapping,
                replace=replace,
                dry_run=dry_run,
                progress=progress,
                cancel=cancel,
            )
    except AspError as error:
        return GoalFile(one.name, None, one.named(error.problems))
    report = dataclasses.replace(report, file=one.name, problems=one.named(report.problems))
    return GoalFile(one.name, report, report.problems)


@contextmanager
def _mapping(path: Path, added: Sequence[str]) -> Iterator[Path | None]:
    """Yield a mapping that leaves out what a survey system added; None where there is nothing to leave out."""
    if not added:
        yield None
        return
    with TemporaryDirectory() as folder:
        written = Path(folder) / f"{path.name}.mapping.yaml"
        written.write_text(yaml.safe_dump({"version": 1, "ignore": list(added)}, allow_unicode=True), encoding="utf-8")
        yield written


def _part(path: Path, keys: frozenset[Key], standing: Mapping[tuple[str, ...], str]) -> str:
    """Return the part that a file is: the one part whose goals it has and whose institutions are all in it; else a new one.

    What a file has in common with a part that has other institutions too is listed by the import.
    """
    institutions = {institution for institution, _ in keys}
    of_part: dict[str, set[str]] = defaultdict(set)
    for (institution, *_), part in standing.items():
        of_part[part].add(institution)
    common = {standing[key] for key in keys if key in standing}
    same = [part for part in common if of_part[part] <= institutions]
    if len(same) == 1:
        return same[0]
    stem = _as_name(next(iter(institutions)) if len(institutions) == 1 else path.name.partition(".")[0])
    name, number = stem, 2
    while name in of_part:
        name, number = f"{stem}-{number}", number + 1
    return name


def _as_name(text: str) -> str:
    """Return a text as the name of a part, which begins with a letter."""
    stem = safe_stem(text)[:30]
    return stem if stem[:1].isalpha() else f"i-{stem}"
