"""``asp-eval report``: results as pages, and the manifest of what they were made from."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Literal, get_args

from asp_eval.analysis.childless import childless
from asp_eval.analysis.gap_results import GapResults
from asp_eval.analysis.goals import institution_goals
from asp_eval.analysis.process.results import ProcessResults
from asp_eval.analysis.results import Results
from asp_eval.core.documents import write_whole
from asp_eval.core.errors import AspError, Fault, Problem
from asp_eval.core.parallel import side_by_side
from asp_eval.core.phrases import Phrase
from asp_eval.core.progress import Cancel, Progress, never, stoppable, unheard
from asp_eval.reporting.documents.pages import Page, made_or_refused, pages_of
from asp_eval.reporting.theme import PLAIN, read_theme
from asp_eval.reporting.writers.formats import FORMATS, known_formats, missing
from asp_eval.stats.contrasts import whole_number
from asp_eval.store import table
from asp_eval.store.ledger import DATA_KINDS, ReportBody
from asp_eval.store.provenance import RESULT_FILES, Output, manifest_of, one_moment, outputs_before
from asp_eval.store.sealed_files import sealed_files
from asp_eval.trial.study.design import Study
from asp_eval.workflow.defects import DEFECT, defect_of
from asp_eval.workflow.stored_results import current_process, current_profiles, current_results
from asp_eval.workflow.study_folder import AnyStudy, output_of, plan_of, profiles_file, results_file

Part = Literal["results", "gap"]
PARTS: tuple[Part, ...] = get_args(Part)

NO_PART = Fault("REP-017", "a report has no such part", "Name 'results' for the evaluation, or 'gap' for the GAP-profiles.")
NO_PROFILES = Fault(
    "REP-018", "the study declares no GAP-profile", "Declare one under 'gap' in study.yaml, or leave this part out."
)
CHANGED_BY_HAND = Fault(
    "REP-019",
    "the file was changed after it was written, and stays as it is; it shows what was so then",
    "Rename it, or move it elsewhere, and give the report again.",
)
NOT_MADE = Fault(
    "REP-023",
    "the page could not be made: this is a defect of asp-eval, or of a library that it uses ({kind})",
    "The other pages are there. Please report it, with the file {report}, which holds no data.",
)

OUT_OF_DATE = Fault(
    "REP-024",
    "{n} files of an earlier report, which this one was not asked for, show what is no longer so, and were removed",
    "Give 'asp-eval report' with that part and those formats, to have them as things stand now.",
    "warning",
)

Job = tuple[Page, Output]  # a page, and what is there of it
Made = tuple[Output | None, bytes | None, tuple[Problem, ...]]  # for the manifest, what is to be written, and what was refused
NOTHING = Output("", state="gone")
MANY = 500  # pages that are worth other processes
AT_ONCE = 16  # pages that each worker makes before they are written


@dataclass(frozen=True, slots=True)
class Report:
    """The pages of a report.

    Attributes
    ----------
    folder : Path
        The study's ``output``.
    pages : tuple of Path
        Those that were asked for and are there: the evaluation first, then the GAP-profiles.
    written : int
        How many of them were written; the others were as they should be.
    problems : tuple of Problem
        Why a page, or a part, that was asked for is not there, or is not of these results; and the outcomes that no child is left
        for.
    manifest : Path
        What went in, what came out, and with which software.
    """

    folder: Path
    pages: tuple[Path, ...]
    written: int
    problems: tuple[Problem, ...]
    manifest: Path


def report(
    study: AnyStudy,
    formats: Collection[str] = ("html",),
    parts: Collection[str] | None = None,
    *,
    theme: str | Path | None = None,
    workers: int = 1,
    progress: Progress = unheard,
    cancel: Cancel = never,
) -> Report:
    """Write the evaluation report and the GAP-profiles, in every language of the study.

    All files appear together. One that is there already and was made from the same is not written again; one of an earlier
    report that shows what is no longer so is removed. A format that cannot be written does not keep the others from being
    written.

    Parameters
    ----------
    study : Study or StudyFolder
        With results: see `analyse` and `gap_profiles`.
    formats : collection of {"html", "pdf", "docx", "xlsx"}
        PDF and DOCX need more packages: ``pip install 'asp-eval[pdf,docx]'``.
    parts : collection of {"results", "gap"}, optional
        The evaluation and the GAP-profiles; all that the study has, if not given.
    theme : str or Path, optional
        A file with an organisation's colour, logo and font: see `asp_eval.reporting.theme.read_theme`.
    workers : int
        Processes that make pages side by side; the files are the same for any number. They are started by joblib, whose back
        end may be chosen around the call (`asp_eval.core.parallel`), where there are 500 pages or more to make: to start one
        takes as long as a hundred pages do.
    progress, cancel : callable, optional
        See `asp_eval.core.progress`.

    Raises
    ------
    DataProblems
        ANA-001 if there are no results, ANA-002 if they are damaged.
    Refusal
        ANA-006 if they are older than the data or study.yaml, PRO-002 if the process evaluation is; REP-016 to REP-018 if there
        is no such format or part. Of two parts, one that could be made is, and what is wrong with the other is in `problems`.
    """
    plan, kinds, workers = plan_of(study), known_formats(formats), whole_number("workers", workers, 1)
    wanted = _known_parts(plan, parts)
    look = PLAIN if theme is None else read_theme(theme)
    problems = missing(kinds)
    possible = [kind for kind in kinds if kind not in {problem.place.source for problem in problems}]
    with one_moment(plan) as state:
        sources, cannot = _sources(plan, wanted if possible else ())
        day, goals = _day_of(plan), institution_goals(plan) if plan.gap else {}
        others = [one for part in PARTS if (one := _standing(plan, part, sources)) is not None]
    problems += cannot
    problems += childless(o.analysed for one in sources if isinstance(one.results, Results) for o in one.results.outcomes)
    pages = [page for one in sources for page in pages_of(one.results, None, possible, look, day, one.process, goals)]
    standing = {page.name: page for one in others for page in pages_of(one.results, None, FORMATS, look, day, one.process, goals)}
    told = {part for part in PARTS if part in wanted and part not in {one.part for one in sources}}  # why, stands in `problems`
    return _written(plan, state, pages, standing, told, problems, stoppable(progress, cancel), workers)


def _known_parts(plan: Study, parts: Collection[str] | None) -> tuple[Part, ...]:
    """Return the parts of a report in the order in which they are written."""
    if parts is None:
        return PARTS if plan.gap else ("results",)
    unknown = sorted(set(parts) - set(PARTS))
    if unknown or not parts:
        NO_PART.refuse("--part", found=", ".join(unknown), expected=", ".join(PARTS))
    if "gap" in parts and not plan.gap:
        NO_PROFILES.refuse("study.yaml")
    return tuple(part for part in PARTS if part in parts)


@dataclass(frozen=True, slots=True)
class _Source:
    """What the pages of one part are made from."""

    part: Part
    results: Results | GapResults
    process: ProcessResults | None = None


def _source(plan: Study, part: Part) -> _Source:
    return _Source(part, current_profiles(plan)) if part == "gap" else _Source(part, current_results(plan), current_process(plan))


def _standing(plan: Study, part: Part, known: Sequence[_Source]) -> _Source | None:
    """Return what the pages of a part are made from now; None if it has nothing that is of the study as it stands."""
    try:
        return next((one for one in known if one.part == part), None) or _source(plan, part)
    except AspError:
        return None


def _sources(plan: Study, parts: Collection[Part]) -> tuple[list[_Source], tuple[Problem, ...]]:
    """Return what each part is made from, and why a part has nothing; if none has anything, that is refused.

    Goals that come in make the process evaluation old, and the evaluation with it, but not the follow-up sheets they are for.
    """
    found: list[_Source] = []
    problems: tuple[Problem, ...] = ()
    first: AspError | None = None
    for part in parts:
        try:
            found.append(_source(plan, part))
        except AspError as error:
            first, problems = first or error, problems + tuple(error.problems)
    if first is not None and not found:
        raise first
    return found, problems


def _day_of(plan: Study) -> date | None:
    """Return the day on which data or arms last came; None if none ever did."""
    entries = table(plan, "ledger").loc[lambda rows: rows["kind"].isin(DATA_KINDS), "recorded_at"]
    return date.fromisoformat(str(entries.iloc[-1])[:10]) if len(entries) else None


def _written(
    plan: Study,
    state: str,
    pages: list[Page],
    standing: Mapping[str, Page],
    told: Collection[Part],
    problems: tuple[Problem, ...],
    step: Progress,
    workers: int,
) -> Report:
    """Write the pages that are not there yet, and the manifest; remove what nobody asks for and is no longer so, and say it."""
    folder, before = output_of(plan), outputs_before(plan)
    outputs: dict[str, Output] = {}
    written = 0

    def entry(files: Mapping[str, str]) -> ReportBody:
        return ReportBody(state=state, files={name: each.digest for name, each in sorted(outputs.items())} | dict(files))

    jobs = [(page, before.get(page.name, NOTHING)) for page in pages]
    made = _each_made([(page, earlier) for page, earlier in jobs if earlier.state != "changed"], workers)
    with sealed_files(plan, state, entry) as new:
        for position, (page, earlier) in enumerate(jobs):
            step(Phrase("{page}", page=page.name), position / len(pages))
            if earlier.state == "changed":
                problems += (CHANGED_BY_HAND.at(f"output/{page.name}"),)
                continue
            output, content, refused = next(made)
            problems += refused
            if content is not None:
                write_whole(new.path(page.name), content)
                written += 1
            if output is not None:
                outputs[page.name] = output
        asked = {page.name for page in pages}
        kept = _still_true(plan, before, asked, standing)
        old = [name for name, each in before.items() if each.state == "as written" and name not in RESULT_FILES]
        gone = [name for name in old if name not in outputs and name not in kept]
        new.remove(*gone)
        for part in PARTS:
            is_so = {name for name in standing if _part_of(name) == part}  # empty: nothing of the part is
            of_part = [n for n in gone if _part_of(n) == part and n not in asked and (n in is_so or not is_so)]
            if of_part and part not in told:
                problems += (OUT_OF_DATE.at(f"output/{of_part[0]}", n=len(of_part)),)
        by_hand = {name: each for name, each in before.items() if each.state == "changed" and name not in RESULT_FILES}
        untold = [name for name in by_hand if name not in asked and name not in kept and _part_of(name) not in told]
        problems += tuple(CHANGED_BY_HAND.at(f"output/{name}") for name in untold)
        kept |= by_hand  # so that the next report knows them too
        write_whole(new.path("manifest.json"), manifest_of(plan, {**kept, **outputs}))
    return Report(folder, tuple(folder / name for name in outputs), written, problems, folder / "manifest.json")


def _each_made(jobs: Sequence[Job], workers: int) -> Iterator[Made]:
    """Yield what `_made` returns of each page; many are made side by side, a part of them at a time."""
    if workers == 1 or len(jobs) < MANY:
        yield from map(_made, jobs)
        return
    for start in range(0, len(jobs), AT_ONCE * workers):
        yield from side_by_side(_made, jobs[start : start + AT_ONCE * workers], workers)


def _made(job: Job) -> Made:
    """Return what the manifest says of a page, and its content if it is to be written; or why it cannot be made.

    A defect that one institution's answers bring to light keeps no other page from being made. What the machine does not give,
    memory or a disk, it gives no other page either: that is raised.
    """
    page, earlier = job
    try:
        made_from = page.made_from
        if earlier.state == "as written" and earlier.made_from == made_from:
            return replace(earlier, shows=page.shows), None, ()
        content, refused = made_or_refused(page)
    except Exception as error:
        found = defect_of(error)
        if found.code != DEFECT.code:
            raise
        return None, None, (NOT_MADE.at(f"output/{page.name}", **found.details),)
    if content is None:
        return None, None, refused
    return Output(hashlib.sha256(content).hexdigest(), made_from, shows=page.shows), content, refused


def _still_true(
    plan: Study, before: Mapping[str, Output], asked: Collection[str], standing: Mapping[str, Page]
) -> dict[str, Output]:
    """Return the earlier pages that nobody asks for now and that show what is still so.

    That is: pages that a report has now, of the same results, and beside them of the same goals and the same process evaluation.
    """
    files = {"results": results_file(plan).name, "gap": profiles_file(plan).name}
    return {
        name: each
        for name, each in before.items()
        if name in standing
        and name not in asked
        and each.state != "gone"
        and each.shows == standing[name].shows
        and before.get(files[_part_of(name)], NOTHING).state == "as written"
    }


def _part_of(name: str) -> Part:
    return "gap" if name.startswith("gap/") else "results"
