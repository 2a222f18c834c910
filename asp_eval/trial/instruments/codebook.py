"""An instrument as a codebook: questions, answers, scores, bands, sources, licence, in plain words and plain Markdown.

The same lines serve a terminal and a file. What the instrument file says is in the language asked for; the claims about its
sources stand as the file has them, in English.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from asp_eval.trial.instruments.definition import Instrument
from asp_eval.trial.instruments.parts import Ages, Band, BandSet, Composite, Item, Response, Scale, Text

PHRASES: Mapping[str, Mapping[str, str]] = {
    "en": {
        "head": "`{id}`, version {version}. Answered by: {informant}. {unit} {ages}",
        "teacher": "preschool teacher or teacher",
        "parent": "parent",
        "staff": "staff",
        "child": "One row per child and wave.",
        "respondent": "One row per respondent and wave.",
        "every_age": "For every age.",
        "ages": "For ages from {from_} up to, not including, {below} years.",
        "family": "The form for the child's age is picked within the family `{family}`.",
        "columns": "In the data each question is the column `{id}.` followed by its name: `{example}`. "
        "A cell holds the code of the answer, or nothing if the question is unanswered.",
        "instruction": "Instruction",
        "answers": "Answers",
        "questions": "Questions",
        "scores": "Scores",
        "bands": "Bands",
        "sources": "Sources",
        "licence": "Licence",
        "counts": "counts {points}",
        "withheld": "The wording of the questions and answers is not part of this package; only names and codes are. "
        "Codes rise in the order in which the answers are printed.",
        "reversed": "reversed: {map}",
        "unscored": "in no score",
        "unless": "not asked if `{item}` is {code}",
        "answers_of": "answers: {set}",
        "scale_range": "{low} to {high}; {better}",
        "higher": "higher is better",
        "lower": "lower is better",
        "neither": "neither end is the better one",
        "mean-times-n": "mean of the answered questions times {n}",
        "mean": "mean of the answered questions",
        "sum": "sum of the questions",
        "pomp": "mean of the answered questions as percent of the way from the lowest to the highest answer",
        "half-up": ", rounded, halves upwards",
        "turned": ", reversed ones turned first",
        "needed": "missing if fewer than {minimum} of the {n} are answered",
        "needed_all": "missing if any of the {n} is unanswered",
        "if_not_asked": "{score} if the questions were not asked because `{item}` is {code}, whatever they hold",
        "composite_sum": "sum of {parts}",
        "composite_mean": "mean of {parts}",
        "composite_missing": "missing if any of them is",
        "from": "from {items}",
        "default": "used unless another set is named",
        "named": "used only if named",
        "country": "made in {country}",
        "no_country": "country not known",
        "boy": "boys only",
        "girl": "girls only",
        "sample": "{n} children",
        "means": "Mean and standard deviation",
        "whom": "Made on answers of: {informant}; {country}; {ages}{sex}{sample}. Source: {source} ({mark}).",
        "age_span": "ages from {from_} to below {below} years",
        "any_age": "every age",
        "confirmed": "confirmed",
        "memory": "from memory, not confirmed",
        "convention": "convention of this package",
        "marks": "Confirmed: read in the source named. From memory: general knowledge, not confirmed. "
        "Convention: this package's own choice.",
    },
    "da": {
        "head": "`{id}`, version {version}. Besvares af: {informant}. {unit} {ages}",
        "teacher": "pædagog eller lærer",
        "parent": "forælder",
        "staff": "personale",
        "child": "Én række for hvert barn og hver runde.",
        "respondent": "Én række for hver svarperson og hver runde.",
        "every_age": "Til alle aldre.",
        "ages": "Til børn fra {from_} år til og med dagen før {below}-års fødselsdagen.",
        "family": "Skemaet til barnets alder vælges inden for familien `{family}`.",
        "columns": "I data er hvert spørgsmål kolonnen `{id}.` efterfulgt af spørgsmålets navn: `{example}`. "
        "En celle rummer svarets kode eller er tom, hvis spørgsmålet ikke er besvaret.",
        "instruction": "Vejledning",
        "answers": "Svar",
        "questions": "Spørgsmål",
        "scores": "Scorer",
        "bands": "Normgrænser",
        "sources": "Kilder",
        "licence": "Licens",
        "counts": "tæller {points}",
        "withheld": "Spørgsmålenes og svarenes ordlyd er ikke en del af denne pakke; kun navne og koder er. "
        "Koderne stiger i den rækkefølge, som svarene er trykt i.",
        "reversed": "vendes: {map}",
        "unscored": "indgår ikke i nogen score",
        "unless": "stilles ikke, hvis `{item}` er {code}",
        "answers_of": "svar: {set}",
        "scale_range": "{low} til {high}; {better}",
        "higher": "højere er bedre",
        "lower": "lavere er bedre",
        "neither": "ingen af enderne er den bedste",
        "mean-times-n": "gennemsnittet af de besvarede spørgsmål gange {n}",
        "mean": "gennemsnittet af de besvarede spørgsmål",
        "sum": "summen af spørgsmålene",
        "pomp": "gennemsnittet af de besvarede spørgsmål i procent af vejen fra laveste til højeste svar",
        "half-up": ", afrundet, halve opad",
        "turned": ", de vendte vendt først",
        "needed": "mangler, hvis færre end {minimum} af de {n} er besvaret",
        "needed_all": "mangler, hvis et af de {n} ikke er besvaret",
        "if_not_asked": "{score}, hvis spørgsmålene ikke blev stillet, fordi `{item}` er {code}, uanset hvad de rummer",
        "composite_sum": "summen af {parts}",
        "composite_mean": "gennemsnittet af {parts}",
        "composite_missing": "mangler, hvis en af dem mangler",
        "from": "ud fra {items}",
        "default": "bruges, medmindre et andet sæt nævnes",
        "named": "bruges kun, hvis det nævnes",
        "country": "lavet i {country}",
        "no_country": "landet kendes ikke",
        "boy": "kun drenge",
        "girl": "kun piger",
        "sample": "{n} børn",
        "means": "Gennemsnit og standardafvigelse",
        "whom": "Lavet på svar fra: {informant}; {country}; {ages}{sex}{sample}. Kilde: {source} ({mark}).",
        "age_span": "fra {from_} år til under {below} år",
        "any_age": "alle aldre",
        "confirmed": "bekræftet",
        "memory": "efter hukommelsen, ikke bekræftet",
        "convention": "pakkens konvention",
        "marks": "Bekræftet: læst i den nævnte kilde. Efter hukommelsen: almen viden, ikke bekræftet. "
        "Konvention: pakkens eget valg. Kilderne er beskrevet på engelsk.",
    },
}


def codebook_lines(instrument: Instrument, language: str = "en") -> Iterator[str]:
    """Describe an instrument, line by line, in Markdown.

    Parameters
    ----------
    instrument : Instrument
    language : str
        One of the instrument's languages; its first is used where it lacks this one.

    Examples
    --------
    >>> from asp_eval.trial.instruments.library import instrument
    >>> next(codebook_lines(instrument("sdq-teacher-4-17")))
    '# SDQ, teacher form, ages 4-17'
    """
    return _Codebook(instrument, language).lines()


def codebook(instrument: Instrument, language: str = "en") -> str:
    """Return the whole codebook as one Markdown text."""
    return "\n".join(codebook_lines(instrument, language)) + "\n"


class _Codebook:
    """One instrument in one language."""

    def __init__(self, instrument: Instrument, language: str) -> None:
        self.instrument, self.language = instrument, language
        self.phrases = PHRASES.get(language, PHRASES["en"])

    def lines(self) -> Iterator[str]:
        """Every line, in the order a reader wants them."""
        it = self.instrument
        yield from (f"# {self.say(it.title)}", "")
        who = self.phrases.get(it.informant, it.informant)
        yield self.phrase(
            "head", id=it.id, version=it.version, informant=who, unit=self.phrases[it.unit], ages=self.served(it.ages)
        )
        if it.family != it.id:
            yield self.phrase("family", family=it.family)
        yield from ("", self.say(it.status), "")
        yield self.phrase("columns", id=it.id, example=it.columns[0])
        if it.instruction:
            yield from self.heading("instruction")
            yield self.say(it.instruction)
        yield from self.heading("answers")
        if it.licence.item_text == "not-included":
            yield from (self.phrase("withheld"), "")
        for name, responses in it.response_sets.items():
            yield f"- {name}"
            yield from (f"  - {self.response(each)}" for each in responses)
        yield from self.heading("questions")
        yield from (f"- {self.question(item)}" for item in it.items)
        yield from self.heading("scores")
        for scale in it.all_scales:
            yield from self.score(scale)
        yield from self.heading("bands")
        yield from self.bands()
        yield from self.heading("sources")
        yield from (f"- {claim.what}: {self.phrases[claim.mark]} ({claim.source})" for claim in it.provenance)
        yield from ("", self.phrase("marks"))
        yield from self.heading("licence")
        yield self.say(it.licence.statement)

    def say(self, text: Text) -> str:
        return text.get(self.language) or next(iter(text.values()))

    def phrase(self, key: str, **details: object) -> str:
        return self.phrases[key].format(**details)

    def heading(self, key: str) -> Iterator[str]:
        yield from ("", f"## {self.phrase(key)}", "")

    def served(self, ages: Ages | None) -> str:
        if ages is None:
            return self.phrase("every_age") if self.instrument.unit == "child" else ""
        return self.phrase("ages", from_=f"{ages.from_:g}", below=f"{ages.below:g}")

    def response(self, response: Response) -> str:
        label = self.say(response.label)
        shown = f"{response.code}" if label == str(response.code) else f"{response.code}: {label}"
        if response.points is not None:
            shown += f" ({self.phrase('counts', points=response.points)})"
        return f"{shown}. {self.say(response.anchor)}" if response.anchor else shown

    def question(self, item: Item) -> str:
        told = [self.phrase("answers_of", set=item.responses)] if len(self.instrument.response_sets) > 1 else []
        if item.reverse:
            turned = ", ".join(f"{code} → {points}" for code, points in self.instrument.points(item).items())
            told.append(self.phrase("reversed", map=turned))
        if not item.scored:
            told.append(self.phrase("unscored"))
        if item.unless:
            told.append(self.phrase("unless", item=item.unless.item, code=item.unless.code))
        text = f": {self.say(item.text)}" if item.text else ""
        if item.poles:
            text = f": A. {self.say(item.poles.low)} B. {self.say(item.poles.high)}"
        return f"{item.number}. `{item.key}`{text}" + (f" ({'; '.join(told)})" if told else "")

    def score(self, scale: Scale | Composite) -> Iterator[str]:
        span = self.phrase(
            "scale_range", low=f"{scale.range.from_:g}", high=f"{scale.range.to:g}", better=self.phrases[scale.better]
        )
        yield f"- `{scale.key}` {self.say(scale.title)}: {span}"
        if isinstance(scale, Composite):
            parts = ", ".join(f"`{key}`" for key in scale.scales)
            yield f"  - {self.phrase(f'composite_{scale.method}', parts=parts)}; {self.phrase('composite_missing')}"
            return
        n, rule = len(scale.items), scale.rule
        items = ", ".join(f"`{key}`" for key in scale.items)
        turned = self.phrase("turned") if any(self.instrument.item(key).reverse for key in scale.items) else ""
        rounded = turned + (self.phrase("half-up") if rule.rounding == "half-up" else "")
        yield f"  - {self.phrase('from', items=items)}"
        needed = "needed_all" if rule.minimum_answered == n else "needed"
        yield f"  - {self.phrase(rule.method, n=n)}{rounded}; {self.phrase(needed, minimum=rule.minimum_answered, n=n)}"
        unless = self.instrument.item(scale.items[0]).unless
        if unless:
            yield f"  - {self.phrase('if_not_asked', score=scale.if_not_asked, item=unless.item, code=unless.code)}"

    def bands(self) -> Iterator[str]:
        bands = self.instrument.bands
        if bands.default is None and bands.reason:
            yield self.say(bands.reason)
        for each in bands.sets:
            used = self.phrase("default" if each.id == bands.default else "named")
            yield from ("", f"### `{each.id}`: {self.say(each.title)} ({used})", "")
            yield self.origin(each)
            if each.note:
                yield self.say(each.note)
            yield ""
            for key, stretch in each.scales.items():
                yield f"- `{key}`: {'; '.join(self.band(band, each) for band in stretch)}"
            if each.means:
                shown = [f"`{key}` {value.mean:g} ({value.sd:g})" for key, value in each.means.items()]
                cells = "; ".join(shown).replace(".", "," if self.language == "da" else ".")
                yield f"- {self.phrase('means')}: {cells}"

    def origin(self, bands: BandSet) -> str:
        """Say for whom a band set was made and where it comes from."""
        ages = bands.ages
        span = self.phrase("age_span", from_=f"{ages.from_:g}", below=f"{ages.below:g}") if ages else self.phrase("any_age")
        return self.phrase(
            "whom",
            informant=self.phrases.get(bands.informant, bands.informant),
            country=self.phrase("country", country=bands.country) if bands.country else self.phrase("no_country"),
            ages=span,
            sex=f"; {self.phrases[bands.sex]}" if bands.sex else "",
            sample=f"; {self.phrase('sample', n=bands.sample)}" if bands.sample else "",
            source=bands.source,
            mark=self.phrases[bands.provenance],
        )

    def band(self, band: Band, bands: BandSet) -> str:
        """Write a band, with its provenance where that is not the set's."""
        scores = f"{band.from_}" if band.from_ == band.to else f"{band.from_}-{band.to}"
        own = "" if band.provenance in {None, bands.provenance} else f" ({self.phrases[str(band.provenance)]})"
        return f"{scores} {self.say(bands.names[band.band])}{own}"
