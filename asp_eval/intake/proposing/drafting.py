"""A proposal as a mapping file, every line with its reason, for whoever has to check it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import yaml

from asp_eval.intake.mapping.mapping import FILL_IN
from asp_eval.intake.proposing.answers import Recode
from asp_eval.intake.proposing.proposal import Proposal
from asp_eval.intake.recognition.questionnaires import Found

_CODE = re.compile(r"-?(?:0|[1-9]\d*)")
LONGEST_NOTE = 70
LONGEST_REFUSAL = 600


def draft(proposal: Proposal) -> str:
    """Return the mapping file: complete, or with FILL IN where a person has to decide."""
    blocks = [
        _head(proposal),
        ["version: 1"],
        _format(proposal),
        _plain(proposal, "keep_rows"),
        _rename(proposal),
        _patterns(proposal),
        _plain(proposal, "user_missing"),
        _recode(proposal),
        _block("truncate", _inner(proposal, "truncate")),
        _plain(proposal, "one_row_per"),
        _ignore(proposal),
        _not_personal(proposal),
    ]
    return "\n".join(line for block in blocks for line in block) + "\n"


def _head(proposal: Proposal) -> list[str]:
    where = f"{proposal.table} at {proposal.wave}" if proposal.wave else proposal.table
    return [
        f"# How {_note(proposal.source)} is read into {where}: a proposal, the reason behind every line.",
        *(f"# {_note(line, LONGEST_REFUSAL)}" for line in state_of(proposal)),
        f"# The file: {_note(str(proposal.dialect), 120)}.",
    ]


def state_of(proposal: Proposal) -> list[str]:
    """Return, line by line, whether the draft can be used as it is, and if not, what is left to do."""
    if not proposal.found_everything:
        return [f"Not everything could be found. Fill in the lines marked {FILL_IN}, and decide on those that begin with # ?."]
    if proposal.refusals:
        return ["Every column was found, but the import would refuse the file:", *proposal.refused_for()]
    return ["Everything was found. Read it through, then import."]


def _format(proposal: Proposal) -> list[str]:
    return _block("format", _inner(proposal, "format"))


def _inner(proposal: Proposal, key: str) -> Iterator[str]:
    for setting in proposal.settings:
        if setting.key == key:
            value = FILL_IN if setting.value is None else _flow(setting.value)
            yield f"  {setting.inner}: {value}  # {_note(setting.why, 200)}"


def _plain(proposal: Proposal, key: str) -> list[str]:
    return [
        f"{key}: {FILL_IN if setting.value is None else _flow(setting.value)}  # {_note(setting.why, 400)}"
        for setting in proposal.settings
        if setting.key == key
    ]


def _rename(proposal: Proposal) -> list[str]:
    lines = [f"  {_scalar(g.column)}: {_scalar(g.ours)}  # {_note(g.why)}" for g in proposal.columns if g.column != g.ours]
    for found in proposal.items:
        if found.pattern is None:
            lines += [
                f"  {_scalar(theirs)}: {ours}  # {_note(found.why)}" for theirs, ours in found.columns.items() if theirs != ours
            ]
    lines += [f"  {FILL_IN} {name}: {_scalar(name)}  # {_note(why, 200)}" for name, why in proposal.wanted if "-" not in name]
    lines += [f"  # ? {_scalar(g.column)}: {_scalar(g.ours)}  # {_note(g.why, 200)}" for g in proposal.unsure_columns]
    absent = [f"# not found, and not needed: {', '.join(proposal.absent)}"] if proposal.absent else []
    return _block("rename", lines) + absent


def _patterns(proposal: Proposal) -> list[str]:
    lines = [f"  {found.form}: {_scalar(found.pattern)}  # {_note(found.why, 200)}" for found in proposal.items if found.pattern]
    for name, why in proposal.wanted:
        if "-" in name:
            shown = next((each.pattern for each in proposal.unsure_items if each.form in name and each.pattern), None)
            lines.append(f"  {FILL_IN} {name}: {_scalar(shown or '{number}')}  # {_note(why, 300)}")
    lines += [f"  # ? {each.form}: {_scalar(sign(each))}  # {_note(each.why, 300)}" for each in proposal.unsure_items]
    return _block("rename_items", lines)


def _recode(proposal: Proposal) -> list[str]:
    lines = []
    for recode in proposal.recodes:
        if recode.labels:
            lines += [f"  {_scalar(recode.part)}:  # {_note(recode.why, 200)}", *_labels(recode)]
        elif recode.notes:
            said = ", ".join(f"{text} = {label}" for text, label in recode.notes.items())
            lines.append(f"  # {recode.part}: {_note(recode.why)}; check that they mean the same: {_note(said, 300)}")
    return _block("recode", lines)


def _labels(recode: Recode) -> Iterator[str]:
    for text, value in recode.labels.items():
        said = f"  # the file says: {_note(recode.notes[text])}" if text in recode.notes else ""
        if value is None:
            yield f"    {_scalar(text)}:  # {FILL_IN}{';' + said.removeprefix('  #') if said else ''}"
        else:
            yield f"    {_scalar(text)}: {value if _CODE.fullmatch(value) else _scalar(value)}{said}"


def _ignore(proposal: Proposal) -> list[str]:
    lines = [f"  - {_scalar(name)}  # {_note(why, 200)}" for name, why in proposal.ignored]
    if proposal.left:
        lines.append("  # ? these look like nothing in the study; take the # ? away from those that are of no use:")
        lines += [f"  # ? - {_scalar(name)}" for name in proposal.left]
    return _block("ignore", lines)


def _not_personal(proposal: Proposal) -> list[str]:
    lines = [f"  - {_scalar(name)}  # {_note(why, 200)}" for name, why in proposal.harmless]
    lines += [f"  # ? - {_scalar(name)}  # {_note(why, 200)}; if not, take the # ? away" for name, why in proposal.doubtful]
    return _block("not_personal", lines)


def _block(key: str, lines: Iterable[str]) -> list[str]:
    """Return a part of the mapping, also if all its lines are comments: whoever takes the # ? away finds it in its place."""
    listed = list(lines)
    return [f"{key}:", *listed] if listed else []


def _scalar(text: str) -> str:
    """Return a text as YAML writes it on one line, in quotes where it could be read as something else."""
    shown: str = yaml.safe_dump(text, allow_unicode=True, width=10_000, default_style=None)
    shown = shown.removesuffix("\n").removesuffix("\n...")
    return (
        shown
        if len(shown.splitlines()) <= 1
        else yaml.safe_dump(text, allow_unicode=False, width=10_000, default_style='"').rstrip("\n")
    )


def _flow(value: object) -> str:
    if isinstance(value, str):
        return _scalar(value)
    shown: str = yaml.safe_dump(value, allow_unicode=True, width=10_000, default_flow_style=True)
    return shown.removesuffix("...\n").rstrip("\n")


def sign(found: Found) -> str:
    """Return how the items are named: their pattern, or the first column of them."""
    return found.pattern or f"{next(iter(found.columns))}, ..."


def _note(text: str, longest: int = LONGEST_NOTE) -> str:
    """Return what can stand in a comment: one line, not too long."""
    line = " ".join(text.split())
    line = "".join(letter for letter in line if letter.isprintable())
    return line if len(line) <= longest else line[: longest - 3] + "..."
