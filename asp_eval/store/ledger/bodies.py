"""What an entry of the ledger says: one frozen model for each kind of entry, and for each version of what it says.

The body of an entry is stored as canonical JSON and sealed; it is read through these models and never by key. A new kind is a
model here, and a line in `Body`. A kind that is to say something else gets a new model with a higher `version`, which is then
written into the body; entries written before keep theirs. A body without a version is of version 1.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, ClassVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from asp_eval.core.contained_paths import ContainedName
from asp_eval.core.errors import Fault

UNREADABLE = Fault(
    "STO-038",
    "the entry does not say what an entry of the kind {kind!r} says",
    "If the ledger was written by a newer version of asp-eval, use that version. Otherwise someone changed it: take study.duckdb "
    "from a backup, or make it again from data/ as docs/ledger.md says.",
)


class LedgerBody(BaseModel):
    """Base of what entries say.

    Attributes
    ----------
    kind : str
        One word for what was done: it stands in the entry, outside the body.
    version : int
        Of what a body of this kind says.
    study : str
        Identifier of the study, in the first entry; so that the data of one are not taken for those of another.
    tables : mapping of str to str
        Digests of the stored tables that are others than an earlier entry says; empty text for one that is gone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ClassVar[str]
    version: ClassVar[int] = 1

    study: str = ""
    tables: Mapping[str, str] = Field(default_factory=dict)

    @property
    def as_json(self) -> str:
        """The body as it is stored: keys sorted, no spaces, without what was not set."""
        plain = self.model_dump(mode="json", exclude_unset=True)
        return canonical(plain if self.version == 1 else plain | {"version": self.version})


class ImportBody(LedgerBody):
    """A file that was imported.

    Attributes
    ----------
    file : str
        Its name in ``data/``.
    sha256, kept_sha256 : str
        Digests of the file as received, and of what is kept of it.
    companions : mapping of str to str
        Digests of the files beside it that were read as part of it.
    table_name, wave : str
        ``wave`` is empty for a table without waves.
    rows_in, accepted, unanswered, filtered, collapsed, duplicates, quarantined : int
        ``rows_in`` is the sum of the others.
    supersedes, corrects : int, optional
        Entries of the import whose place it takes, and of the one whose rows it corrects.
    part : str
        The part of the table or wave that it is; empty for the whole.
    supersedes_too : tuple of int
        Entries of further imports whose place it takes: of the parts, for a whole file.
    takes : mapping of int to int
        How many rows it takes over from the quarantine of each import.
    mapping_digest, schema_digest, mapping : str
        How the file was read; ``mapping`` is JSON, and empty without one.
    delimiter, decimal, dates : str
        How it was written.
    declares : bool
        Whether the file itself says what its labels mean.
    arms : mapping of str to str
        Arms that it adds to the allocation, by institution.
    instruments : mapping of str to str
        Digests of the study's own instruments that it may hold answers to, and of the coding frames that it is coded with, by
        id and version: ``mood version 1``, ``interviews frame version 2``.
    """

    kind: ClassVar[str] = "import"

    file: ContainedName
    sha256: str
    kept_sha256: str
    companions: Mapping[str, str] = Field(default_factory=dict)
    table_name: str
    wave: str
    rows_in: int
    accepted: int
    unanswered: int
    filtered: int
    collapsed: int
    duplicates: int
    quarantined: int
    supersedes: int | None
    corrects: int | None
    takes: Mapping[int, int]
    mapping_digest: str
    schema_digest: str
    mapping: str
    delimiter: str
    decimal: str | None
    dates: str | None
    declares: bool
    arms: Mapping[str, str] = Field(default_factory=dict)
    instruments: Mapping[str, str] = Field(default_factory=dict)
    part: str = ""
    supersedes_too: tuple[int, ...] = ()


class DrawBody(LedgerBody):
    """A lot that was drawn.

    Attributes
    ----------
    arms : mapping of str to str
        Arm of each institution.
    seed : int, optional
        Without one, the lot was not drawn by this package.
    scheme, digest : str
        The scheme in words, and the digest of the list.
    lines : tuple of str
        The list.
    left_out : mapping of str to str
        Institutions of the list that were not drawn because they had closed, each with the reason.
    candidates_digest, candidates, candidates_are_all_allocations, kept, worst_kept_score
        Of a constrained scheme: the set that the lot was drawn from.
    """

    kind: ClassVar[str] = "draw"

    arms: Mapping[str, str]
    seed: int | None = None
    scheme: str = ""
    digest: str = ""
    lines: tuple[str, ...] = ()
    left_out: Mapping[str, str] = Field(default_factory=dict)
    candidates_digest: str = ""
    candidates: int | None = None
    candidates_are_all_allocations: bool | None = None
    kept: int | None = None
    worst_kept_score: str | None = None


class LateDrawBody(DrawBody):
    """A lot for institutions that came after the first was drawn."""

    kind: ClassVar[str] = "late-draw"


class RedrawBody(DrawBody):
    """A lot that puts other arms in the place of those drawn.

    Attributes
    ----------
    why : str
        The reason.
    replaces : tuple of int
        Entries of the lots that it replaces.
    """

    kind: ClassVar[str] = "redraw"

    why: str
    replaces: tuple[int, ...] = ()


class ScoreBody(LedgerBody):
    """Scores that were computed and stored.

    Attributes
    ----------
    scores : int
        How many.
    instruments : mapping of str to str
        Digests of the instruments, with their norms, by id.
    """

    kind: ClassVar[str] = "score"

    scores: int
    instruments: Mapping[str, str]


class ResultsBody(LedgerBody):
    """Files that were computed from the stored data.

    Attributes
    ----------
    state : str
        Digest of everything they were computed from.
    files : mapping of str to str
        Their digests, by their names in ``output/``.
    """

    kind: ClassVar[str] = "analyse"

    state: str
    files: Mapping[ContainedName, str]


class GapBody(ResultsBody):
    """GAP-profiles that were computed: the record of who was given one, and when.

    Attributes
    ----------
    made, withheld : tuple of str
        Institutions whose profile was made, and those with answers whose profile was not.
    looser : mapping of str to str
        Limits of disclosure that the study has set looser than the usual ones, by their key under ``privacy``.
    """

    kind: ClassVar[str] = "gap"

    made: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()
    looser: Mapping[str, str] = Field(default_factory=dict)


class ProcessBody(ResultsBody):
    """The process evaluation that was made."""

    kind: ClassVar[str] = "process"


class ReportBody(ResultsBody):
    """Pages that were written, and their manifest."""

    kind: ClassVar[str] = "report"


class ExportBody(LedgerBody):
    """Data that left the study as files for one's own analysis.

    Attributes
    ----------
    state : str
        Digest of everything they hold.
    format : str
    folder : str
        Name of the folder they were written to.
    files : mapping of str to str
        Their digests, by name.
    """

    kind: ClassVar[str] = "export"

    state: str
    format: str
    folder: str
    files: Mapping[ContainedName, str]


class PlanBody(LedgerBody):
    """A plan that was locked.

    Attributes
    ----------
    declared : str
        The whole of ``study.yaml`` as JSON.
    instruments : mapping of str to str
        Digests of the instruments, with their norms, by id.
    lot : str
        Digest of the arms of all institutions; empty if none was drawn.
    data : mapping of str to int
        Rows that were stored then, by table, and by table and wave: ``screening w1``.
    """

    kind: ClassVar[str] = "plan-lock"

    declared: str
    instruments: Mapping[str, str]
    lot: str
    data: Mapping[str, int]


class PlanChangeBody(PlanBody):
    """A plan that differs from the one that was locked, or from the last that was entered, when it was first analysed."""

    kind: ClassVar[str] = "plan-change"


class KeptCopy(BaseModel):
    """What is kept of a file, and the digest of that."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: ContainedName
    sha256: str


class ForgetBody(LedgerBody):
    """One child's answers that were taken out; whose they were is not said.

    Attributes
    ----------
    rows : mapping of int to mapping of str to int
        How many rows of each import are gone, by its entry and by what had become of them: accepted, unanswered, quarantined.
    copies : mapping of int to KeptCopy
        What is kept from then on of the files of some imports, by entry.
    """

    kind: ClassVar[str] = "forget"

    rows: Mapping[int, Mapping[str, int]]
    copies: Mapping[int, KeptCopy] = Field(default_factory=dict)


Body = (
    ImportBody
    | DrawBody
    | LateDrawBody
    | RedrawBody
    | ScoreBody
    | ResultsBody
    | GapBody
    | ProcessBody
    | ReportBody
    | ExportBody
    | ForgetBody
    | PlanBody
    | PlanChangeBody
)
DATA_KINDS = (
    ImportBody.kind,
    DrawBody.kind,
    LateDrawBody.kind,
    RedrawBody.kind,
    ForgetBody.kind,
)  # that change data or arms
MODELS: dict[tuple[str, int], type[LedgerBody]] = {(model.kind, model.version): model for model in get_args(Body)}


def canonical(values: Mapping[str, object]) -> str:
    """Return plain values as JSON with sorted keys and no spaces.

    Examples
    --------
    >>> canonical({"b": 1, "a": "æ"})
    '{"a":"æ","b":1}'
    """
    return json.dumps(dict(values), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def new_body(kind: str, values: Mapping[str, object]) -> LedgerBody:
    """Return the body of a new entry, in the newest version of its kind."""
    version = max(number for name, number in MODELS if name == kind)
    return MODELS[kind, version].model_validate(values)


@lru_cache(maxsize=1_024)
def read_body(kind: str, text: str) -> LedgerBody:
    """Return what an entry says.

    Parameters
    ----------
    kind : str
    text : str
        The body as it is stored.

    Raises
    ------
    Refusal
        STO-038 if the text is no body of this kind, or the kind is not known.
    """
    try:
        plain: dict[str, Any] = json.loads(text)
        version = int(plain.pop("version", 1))
        return MODELS[kind, version].model_validate(plain)
    except (ValueError, KeyError, TypeError, AttributeError, ValidationError):
        return UNREADABLE.refuse(kind=kind)
