"""An instrument as text for the reader of a terminal or a codebook: items, scales, bands, sources, licence."""

from __future__ import annotations

from collections.abc import Iterator

from asp_eval.core.errors import Unavailable
from asp_eval.trial.instruments.definition import Instrument
from asp_eval.trial.instruments.parts import Band, BandSet, Composite, Scale, Text


def codebook_lines(instrument: Instrument, language: str = "en") -> Iterator[str]:
    """Describe an instrument, line by line.

    Parameters
    ----------
    instrument : Instrument
    language : str
        One of the instrument's languages; its first is used where it lacks this one.

    Examples
    --------
    >>> from asp_eval.trial.instruments.library import instrument
    >>> next(codebook_lines(instrument("sdq-teacher-4-17")))
    'sdq-teacher-4-17, version 1: SDQ, teacher form, ages 4-17'
    """

    def say(text: Text) -> str:
        return text.get(language) or next(iter(text.values()))

    yield f"{instrument.id}, version {instrument.version}: {say(instrument.title)}"
    yield say(instrument.status)
    ages = instrument.ages
    served = f"ages from {ages.from_:g} to below {ages.below:g} years" if ages else "every age"
    yield f"Answered by: {instrument.informant}. Describes: {instrument.unit}. Family: {instrument.family}, {served}."
    yield from _responses(instrument, language)
    yield from ("", "Items")
    for item in instrument.items:
        reverse = ", reversed" if item.reverse else ""
        text = f"  {say(item.text)}" if item.text else ""
        yield f"  {item.number:>2}  {item.key}{reverse}{text}"
    yield from ("", "Scales")
    for scale in instrument.all_scales:
        yield f"  {scale.key}: {say(scale.title)}, {scale.range.from_:g} to {scale.range.to:g}, {scale.better} is better"
        yield f"      {_formed(scale)}"
    yield from ("", "Bands")
    for bands in instrument.bands.sets:
        default = ", used unless another is named" if bands.id == instrument.bands.default else ""
        yield f"  {bands.id}: {say(bands.title)}{default}"
        yield f"      {_origin(bands)}"
        if bands.note:
            yield f"      {say(bands.note)}"
        yield from (f"      {key}: {', '.join(_band(band, bands) for band in stretch)}" for key, stretch in bands.scales.items())
    if isinstance(reason := instrument.band_set(), Unavailable):
        yield f"  {say(instrument.bands.reason) if instrument.bands.reason else reason.reason}"
    yield from ("", "Sources")
    yield from (f"  {claim.what}: {claim.mark} ({claim.source})" for claim in instrument.provenance)
    yield from ("", "Licence", f"  {say(instrument.licence.statement)}")


def _responses(instrument: Instrument, language: str) -> Iterator[str]:
    for name, responses in instrument.response_sets.items():
        shown = [f"{each.code} {each.label.get(language, '')}".strip() for each in responses]
        codes = [str(each.code) for each in responses]
        is_bare = all(each.label.get(language) == str(each.code) for each in responses)
        yield f"Answers ({name}): {', '.join(codes if is_bare else shown)}"


def _formed(scale: Scale | Composite) -> str:
    """Say how a score is formed."""
    if isinstance(scale, Composite):
        return f"{scale.method} of {', '.join(scale.scales)}; missing if any of them is"
    methods = {"mean-times-n": f"mean times {len(scale.items)}", "pomp": "percent of maximum possible"}
    rounded = ", rounded half up" if scale.rule.rounding == "half-up" else ""
    needed = f"at least {scale.rule.minimum_answered} of {len(scale.items)} answered"
    return f"{methods.get(scale.rule.method, scale.rule.method)} of {', '.join(scale.items)}{rounded}; {needed}"


def _origin(bands: BandSet) -> str:
    """Say for whom a band set was made and where it comes from."""
    ages = f"ages from {bands.ages.from_:g} to below {bands.ages.below:g} years" if bands.ages else "every age"
    sex = {"female": ", girls", "male": ", boys", None: ""}[bands.sex]
    return f"{bands.informant}, {bands.country or 'no country stated'}, {ages}{sex}; {bands.provenance}: {bands.source}"


def _band(band: Band, bands: BandSet) -> str:
    """Write a band, with its provenance where that is not the set's."""
    scores = f"{band.from_}" if band.from_ == band.to else f"{band.from_}-{band.to}"
    own = "" if band.provenance in {None, bands.provenance} else f" ({band.provenance})"
    return f"{scores} {band.band}{own}"
