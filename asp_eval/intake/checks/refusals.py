"""When rows at fault show that a file is wrong as a whole: codes of another form in a column, or too many rows at fault.

A column coded 1 to 3 where the form has 0 to 2 puts only the rows with a 3 at fault; the others would be stored, each answer
one too high. So what is wrong with a column is looked for in the column.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from asp_eval.core.errors import Fault, Place, Problem
from asp_eval.core.phrases import NO_NOTE, Phrase, all_of
from asp_eval.intake.checks.findings import Finding, at_rows
from asp_eval.intake.files.raw import SPACES, Mask
from asp_eval.intake.mapping.applying import MappedTable
from asp_eval.intake.mapping.mapping import Mapping
from asp_eval.trial.tables.fields import Field
from asp_eval.trial.tables.schema import TableSchema

FOREIGN_CODES = Fault(
    "SCR-194",
    "{codes} in {rows} of {total} answers are no codes of the questionnaire, which has {allowed}{where}: "
    "that is no slip of single rows",
    "See how the answers are coded in the file, and recode all of them in the mapping: 'recode: {{{part}: {{CODE: OURS}}}}'; "
    'OURS "" empties a code that is no answer.',
)
SHIFTED_CODES = Fault(
    "SCR-195",
    "{code} is met and {lowest} never is, where the questionnaire has {allowed}{where}: the codes seem to run from "
    "another number",
    "If they do, say in the mapping: 'recode: {{{part}: {{{recode}}}}}'. If {code} is a slip, correct the cells, or empty them "
    "there: 'recode: {{{part}: {{{code}: \"\"}}}}'.",
)
TOO_MANY_ROWS = Fault(
    "SCR-196",
    "{n} of {total} rows are at fault, most of them, {times} times, for this reason ({code}): {reason}",
    "Cure that in the file or the mapping, and import again. If the other rows are to be stored all the same, say in the "
    "mapping: 'stop_at: {{share_of_rows: 1}}'.",
)

FEWEST_ROWS = 5  # at fault; fewer are slips that a person corrects one by one
LEAST_SHARE = 0.05  # of an item's answers
FEWEST_ANSWERS = 10  # to an item, for a code that is never met to tell anything
MOST_NAMED = 5


def foreign_codes(raw: MappedTable, schema: TableSchema) -> Iterator[Problem]:
    """Yield what is wrong with the codes of whole columns; what is true of several items of an instrument is said once."""
    foreign: dict[str, list[tuple[Field, Counter[str], int]]] = {}
    shifted: dict[tuple[str, str, str], list[Field]] = {}
    for field in schema.fields:
        if field.form is None or field.name not in raw.columns:
            continue
        met = _answers(raw, field)
        total = sum(met.values())
        strange = Counter({text: n for text, n in met.items() if text not in field.allowed})
        n = sum(strange.values())
        codes = sorted(map(int, field.allowed))
        above = [text for text in strange if text.isdigit() and int(text) == codes[-1] + 1]
        if above and str(codes[0]) not in met and total >= FEWEST_ANSWERS:
            shifted.setdefault((field.form, above[0], str(codes[0])), []).append(field)
        elif n >= FEWEST_ROWS and n >= LEAST_SHARE * total:
            foreign.setdefault(field.form, []).append((field, strange, total))
    for (form, code, lowest), fields in shifted.items():
        recode = ", ".join(f"{int(one) + 1}: {one}" for one in sorted(fields[0].allowed, key=int))
        yield SHIFTED_CODES.at(
            _place(raw, form, fields),
            code=code,
            lowest=lowest,
            allowed=", ".join(fields[0].allowed),
            recode=recode,
            where=_where(raw, fields),
            part=form if len(fields) > 1 else fields[0].name,
        )
    for form, found in foreign.items():
        fields = [field for field, _, _ in found]
        strange = sum((one for _, one, _ in found), Counter[str]())
        yield FOREIGN_CODES.at(
            _place(raw, form, fields),
            codes=all_of(repr(text) for text, _ in strange.most_common(MOST_NAMED)),
            rows=sum(strange.values()),
            total=sum(total for _, _, total in found),
            allowed=", ".join(fields[0].allowed),
            where=_where(raw, fields),
            part=form if len(fields) > 1 else fields[0].name,
        )


def too_many_rows(raw: MappedTable, errors: Sequence[Finding], mapping: Mapping) -> Iterator[Problem]:
    """Yield the refusal of a file of which more rows are at fault than the mapping allows, with the reason met most."""
    refused: Mask = at_rows(errors, len(raw))
    n = int(np.count_nonzero(refused))
    if n < FEWEST_ROWS or n <= mapping.stop_at.share_of_rows * len(raw):
        return
    counts: dict[str, tuple[int, Finding]] = {}
    for finding in (each for each in errors if len(each.rows)):
        before, first = counts.get(finding.fault.code, (0, finding))
        counts[finding.fault.code] = (before + len(finding.rows), first)
    times, most = max(counts.values(), key=lambda each: each[0])
    example = most.problem(int(most.rows[0]))
    yield TOO_MANY_ROWS.at(raw.source, n=n, total=len(raw), times=times, code=example.code, reason=example.text)


def _answers(raw: MappedTable, field: Field) -> Counter[str]:
    """Return how often each answer is met, numbers written as codes are."""
    column = raw.columns[field.name]
    met = Counter[str]()
    for text, count in zip(column.texts, np.bincount(column.codes, minlength=len(column.texts)), strict=True):
        plain = str(text).strip(SPACES)
        if plain and count:
            head, mark, tail = plain.replace(",", ".").partition(".")
            met[head if mark and not tail.strip("0") else plain] += int(count)
    return met


def _place(raw: MappedTable, form: str, fields: Sequence[Field]) -> Place:
    return raw.place(column=fields[0].name if len(fields) == 1 else form)


def _where(raw: MappedTable, fields: Sequence[Field]) -> str:
    if len(fields) == 1:
        return NO_NOTE
    names = [raw.exported.get(field.name, field.name) for field in fields]
    shown = ", ".join(names[:MOST_NAMED]) + (", ..." if len(names) > MOST_NAMED else "")
    return Phrase(", in {n} columns ({names})", n=len(names), names=shown)
