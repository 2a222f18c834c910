"""The library of questionnaires, those shipped and those of a study: found by id, by family, and by the age a form is for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from itertools import combinations, takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from asp_eval.core.documents import read_documents
from asp_eval.core.errors import DataProblems, Fault, Place, Problem
from asp_eval.core.phrases import Phrase, did_you_mean
from asp_eval.core.resources import shipped_folder
from asp_eval.core.strict_yaml import read_yaml
from asp_eval.trial.instruments.definition import Instrument
from asp_eval.trial.instruments.norms import FOLDER, NO_INSTRUMENT, with_norms
from asp_eval.trial.instruments.parts import Ages

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

UNKNOWN = Fault("INS-001", "no {kind} has this name", "{advice}'asp-eval instruments list' shows them all.")
SAME_VERSION = Fault("INS-002", "{other} has the same id and version", "Raise the version, or give it an id of its own.")
SHARED_AGE = Fault("INS-014", "the form and {other} of the same family share ages", "Let one begin where the other ends.")
TWO_MEANINGS = Fault(
    "INS-049",
    "the name would stand for an instrument and for a family of others, with {other}",
    "Give it a name of its own.",
)
INSTRUMENTS = "instruments"  # the folder of a study
ANY_AGE = Ages.model_validate({"from": 0, "below": 120})


@dataclass(frozen=True, slots=True)
class OwnFile:
    """A file of a study's own that the library was read from.

    Attributes
    ----------
    path : str
        Where it is, from the study folder: ``instruments/mood.yaml``.
    document : str
        What it is called in the ledger: id and version, ``mood version 1``.
    digest : str
        SHA-256 of what it says; comments and layout do not count.
    """

    path: str
    document: str
    digest: str


def _alike(titles: list[str]) -> str:
    """Return what titles begin with alike, up to a comma; of one title all of it."""
    parts = [title.split(", ") for title in titles]
    together = takewhile(lambda each: len(set(each)) == 1, zip(*parts, strict=False))
    return ", ".join(each[0] for each in together)


@dataclass(frozen=True, slots=True)
class Library:
    """Questionnaires, found by id, by family, and by the age a form is for. Two are equal if a study's own files say the same.

    Attributes
    ----------
    known : tuple of Instrument
        Every version of every questionnaire, with its norm sets.
    own_instruments, own_norms : tuple of OwnFile
        The files of the study.
    """

    known: tuple[Instrument, ...] = field(compare=False, repr=False)
    own_instruments: tuple[OwnFile, ...] = ()
    own_norms: tuple[OwnFile, ...] = ()

    @property
    def own_files(self) -> tuple[OwnFile, ...]:
        """The files of the study, instruments first."""
        return (*self.own_instruments, *self.own_norms)

    def instrument(self, name: str, version: int | None = None) -> Instrument:
        """Return an instrument by its id, in its latest version unless another is asked for.

        Raises
        ------
        Refusal
            INS-001, with the names that come near.
        """
        found = [each for each in self.known if each.id == name and version in {None, each.version}]
        if not found:
            known = [f"{each.id} version {each.version}" if version else each.id for each in self.known]
            _refuse("instrument", f"{name} version {version}" if version else name, known)
        return max(found, key=lambda each: each.version)

    def instruments(self) -> tuple[Instrument, ...]:
        """Return every instrument in its latest version, by id."""
        return tuple(self.instrument(name) for name in sorted({each.id for each in self.known}))

    def family(self, name: str) -> tuple[Instrument, ...]:
        """Return the forms of a family, youngest first.

        Raises
        ------
        Refusal
            INS-001, with the names that come near.
        """
        forms = [each for each in self.instruments() if each.family == name]
        if not forms:
            _refuse("family", name, sorted({each.family for each in self.known}))
        return tuple(sorted(forms, key=lambda form: _ages(form).from_))

    def forms_named(self, name: str) -> tuple[Instrument, ...]:
        """Return the instrument of this id, or every form of the family of this name, by id; nothing if there is neither.

        Examples
        --------
        >>> [form.id for form in shipped().forms_named("sdq-teacher")]
        ['sdq-teacher-2-4', 'sdq-teacher-4-17']
        """
        return tuple(each for each in self.instruments() if name in (each.id, each.family))

    def titles(self, name: str) -> dict[str, str]:
        """Return what an instrument or a family is called, by language: a family by what its forms' titles begin with alike.

        Examples
        --------
        >>> shipped().titles("sdq-teacher-4-17")["en"], shipped().titles("sdq-teacher")["en"]
        ('SDQ, teacher form, ages 4-17', 'SDQ, teacher form')
        """
        forms = [form for form in self.forms_named(name) if form.id == name] or list(self.forms_named(name))
        called = [{str(language): title for language, title in form.title.items()} for form in forms]
        shared = [language for language in (called[0] if called else {}) if all(language in each for each in called)]
        alike = {language: _alike([each[language] for each in called]) for language in shared}
        return {language: title for language, title in alike.items() if title}

    def is_own(self, form: Instrument) -> bool:
        """Whether an instrument is the study's own."""
        return document(form) in {file.document for file in self.own_instruments}


@cache
def shipped() -> Library:
    """Return the questionnaires that came with the package."""
    return Library(read_folder(shipped_folder("instruments")))


def library_of(folder: Path) -> Library:
    """Return the questionnaires that a study knows: those that are shipped, and those of its folder.

    Parameters
    ----------
    folder : Path
        The study folder. Its own are in ``instruments``, ``norms`` and ``wording``, none of which needs to be there.

    Raises
    ------
    DataProblems
        Every mistake in every file, as `read_folder`; INS-002 also for an id and version that is shipped.
    """
    own = [path for name in (INSTRUMENTS, FOLDER) for path in sorted((folder / name).glob("*.yaml"))]
    return _with_own(folder, tuple((path, path.read_bytes()) for path in own)) if own else shipped()


@lru_cache(maxsize=8)
def _with_own(folder: Path, files: tuple[tuple[Path, bytes], ...]) -> Library:
    """Read a study's own files; their bytes are here to know a change by."""
    problems: list[Problem] = []
    beside = shipped().known
    try:
        own = _read_instruments([path for path, _ in files if path.parent.name == INSTRUMENTS], beside)
    except DataProblems as error:
        problems, own = list(error.problems), []
    try:
        known = with_norms([*beside, *(each for _, each in own)], folder / FOLDER)
    except DataProblems as error:  # an instrument that norms miss may be the one that cannot be read
        problems += [each for each in error.problems if not problems or each.code != NO_INSTRUMENT.code]
    if problems:
        raise DataProblems(problems)
    norms = [path for path, _ in files if path.parent.name == FOLDER]
    return Library(
        known,
        tuple(own_file(path, document(each)) for path, each in own),
        tuple(own_file(path, path.stem) for path in norms),
    )


def own_file(path: Path, document: str) -> OwnFile:
    """Return a file of a study's own, by its folder, its name and what it says."""
    says = json.dumps(read_yaml(path)[0], sort_keys=True, ensure_ascii=False, default=str)
    return OwnFile(f"{path.parent.name}/{path.name}", document, hashlib.sha256(says.encode()).hexdigest())


def document(form: Instrument) -> str:
    """Return what an instrument is called in the ledger: id and version, for a file is not edited once it is used."""
    return f"{form.id} version {form.version}"


def instrument(name: str, version: int | None = None, *, study: Path | None = None) -> Instrument:
    """Return an instrument, its latest version unless another is asked for.

    Parameters
    ----------
    name : str
        Its id.
    version : int, optional
    study : Path, optional
        A study folder, whose own instruments and norm sets join those that are shipped.

    Raises
    ------
    Refusal
        INS-001, with the names that come near.
    DataProblems
        Everything that is wrong with the study's own files.

    Examples
    --------
    >>> instrument("sdq-teacher-4-17").scale_keys[:3]
    ('emotion', 'conduct', 'hyper')
    """
    return (shipped() if study is None else library_of(study)).instrument(name, version)


def instruments() -> tuple[Instrument, ...]:
    """Return every shipped instrument in its latest version, by id."""
    return shipped().instruments()


def family(name: str) -> tuple[Instrument, ...]:
    """Return the forms of a shipped family, youngest first.

    Parameters
    ----------
    name : str
        The family; an instrument without age forms is a family of one, under its own id.

    Raises
    ------
    Refusal
        INS-001, with the names that come near.

    Examples
    --------
    >>> [form.id for form in family("sdq-teacher")]
    ['sdq-teacher-2-4', 'sdq-teacher-4-17']
    """
    return shipped().family(name)


def choose_version(name: str, age_years: pd.Series[float]) -> pd.Series[str]:
    """Pick the form of a family for each age.

    Parameters
    ----------
    name : str
        The family.
    age_years : Series of float
        Ages in years, exact: a child of three years and eleven months is 3.92, not 4.

    Returns
    -------
    Series of str
        Ids, on the index of `age_years`; missing where the age is missing or no form serves it. A family whose one form
        serves every age needs no age.

    Examples
    --------
    >>> import pandas as pd
    >>> choose_version("sdq-teacher", pd.Series([3.9, 4.0, 1.5])).tolist()
    ['sdq-teacher-2-4', 'sdq-teacher-4-17', <NA>]
    """
    forms = family(name)
    import pandas as pd  # loaded where ages are: to list the instruments takes a tenth of the time without

    ids = pd.Categorical.from_codes(form_positions(forms, age_years), categories=pd.Index([form.id for form in forms]))
    return pd.Series(ids, index=age_years.index, name="form").astype("string")


def form_positions(forms: Sequence[Instrument], age_years: pd.Series[float]) -> NDArray[np.int64]:
    """Return for each age the position of the form that serves it, -1 where none does."""
    import numpy as np

    from asp_eval.trial.instruments.ages_and_sexes import checked_ages

    age = checked_ages(age_years, len(age_years))
    picked = np.full(len(age), -1, dtype=np.int64)
    for position, form in enumerate(forms):
        fits = np.ones(len(age), bool) if form.ages is None else (age >= form.ages.from_) & (age < form.ages.below)
        picked[fits] = position
    return picked


def read_folder(folder: Path) -> tuple[Instrument, ...]:
    """Read every instrument file of a folder, and the norm sets in its ``norms``.

    Raises
    ------
    DataProblems
        Every mistake in every file; two files with one id and version (INS-002); two forms of a family that share ages
        (INS-014); an id that is the name of a family of others (INS-049).
    """
    read = _read_instruments(sorted(folder.glob("*.yaml")), ())
    return with_norms([each for _, each in read], folder / FOLDER)


def _read_instruments(paths: Sequence[Path], beside: Sequence[Instrument]) -> list[tuple[Path, Instrument]]:
    """Read instrument files, and compare each with those before it and with the instruments they will stand beside."""
    read, problems = read_documents(paths, Instrument)
    for (first, one), (second, other) in combinations(read, 2):
        problems.extend(_clashes(first.name, one, second, other))
    for one in beside:
        for second, other in read:
            problems.extend(_clashes(Phrase("{name}, which comes with the package,", name=one.id), one, second, other))
    if problems:
        raise DataProblems(problems)
    return read


def _clashes(first: str, one: Instrument, second: Path, other: Instrument) -> list[Problem]:
    """Faults that only show when two files are seen together."""
    if (one.id, one.version) == (other.id, other.version):
        line = read_yaml(second)[1].get(("version",))
        place = Place(second.name, line, column="version")
        return [SAME_VERSION.at(place, found=f"{other.id} version {other.version}", other=first)]
    if one.family != other.family and (one.id == other.family or other.id == one.family):
        key, found = ("id", other.id) if other.id == one.family else ("family", other.family)
        line = read_yaml(second)[1].get((key,))
        return [TWO_MEANINGS.at(Place(second.name, line, column=key), found=found, other=one.id)]
    a, b = _ages(one), _ages(other)
    if one.family == other.family and one.id != other.id and a.from_ < b.below and b.from_ < a.below:
        line = read_yaml(second)[1].get(("ages",))
        found = f"{b.from_:g} to {b.below:g} beside {a.from_:g} to {a.below:g}"
        return [SHARED_AGE.at(Place(second.name, line, column="ages"), found=found, other=one.id)]
    return []


def _ages(form: Instrument) -> Ages:
    return form.ages or ANY_AGE


def _refuse(kind: str, name: str, known: Sequence[str]) -> None:
    UNKNOWN.refuse(found=name, kind=kind, advice=did_you_mean(name, known))
