"""For what the import would refuse a file that is read with the draft of its mapping."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from asp_eval.core.documents import validated
from asp_eval.core.errors import DataProblems, Problem, Refusal
from asp_eval.core.strict_yaml import parse_yaml
from asp_eval.intake.files.raw import RawTable
from asp_eval.intake.mapping.mapping import Mapping, kept_mapping
from asp_eval.intake.pipeline import IncomingFile
from asp_eval.intake.proposing.drafting import draft
from asp_eval.intake.proposing.proposal import Proposal
from asp_eval.intake.table import Table
from asp_eval.trial.study.design import Study
from asp_eval.trial.tables.schema import TableSchema

Checks = Callable[[Table, Mapping], Iterable[Problem]]


def no_further(table: Table, mapping: Mapping) -> Iterable[Problem]:  # noqa: ARG001 - stands for checks that are not there
    """Find nothing wrong."""
    return ()


def refusals_of(
    proposal: Proposal, file: Path, raw: RawTable, study: Study, schema: TableSchema, further: Checks
) -> tuple[Problem, ...]:
    """Return the errors of a file as a whole, read with a draft in which nothing is left open; rows at fault are none.

    Parameters
    ----------
    proposal : Proposal
    file : Path
    raw : RawTable
        The file as read.
    study : Study
    schema : TableSchema
    further : callable
        Checks of the rows that would be stored, which those of the file know nothing of.
    """
    source = kept_mapping(file).name
    mapping = validated(*parse_yaml(draft(proposal), source), source, Mapping)
    incoming = IncomingFile(file, schema, mapping, None, study)
    try:
        found: Iterable[Problem] = further(incoming.sift(incoming.map(incoming.protect(raw))).table, mapping)
    except (DataProblems, Refusal) as refused:
        found = refused.problems
    return tuple(problem for problem in found if problem.is_error)
