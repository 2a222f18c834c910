"""What every part of the evaluation report needs to know: the study's own names, and the language of numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from asp_eval.analysis.results import OutcomeResult, Results
from asp_eval.analysis.sets import MISSING
from asp_eval.reporting.language import Words
from asp_eval.reporting.numbers import Numbers, Shown
from asp_eval.trial.study.design import Study


@dataclass(frozen=True, slots=True, eq=False)
class Setting:
    """Results and the language they are reported in; and of which day their data are, where it is known."""

    results: Results
    show: Numbers
    day: date | None = None

    @property
    def study(self) -> Study:
        """What study.yaml declared."""
        return self.results.study

    @property
    def say(self) -> Words:
        """The sentences of the report's language."""
        return self.show.words

    @property
    def level(self) -> Shown:
        """The level of the study's intervals, in percent."""
        return self.show.level(self.study.analysis.level)

    def arm(self, key: str) -> str:
        """Return what an arm is called."""
        return self.say.label(self.study.arm_labels.get(key, {}), self.say.name(key))

    def group(self, name: str) -> str:
        """Return an arm's name as a sentence needs it: "the intervention arm", "indsatsgruppen"."""
        if name.isalpha() and name[1:].islower():
            return self.say("the {arm} arm", arm=name.lower())
        return self.say("the arm {arm}", arm=name)

    @staticmethod
    def heading(name: str) -> str:
        """Return a name with a capital, as a heading needs it."""
        return name[:1].upper() + name[1:]

    def arm_heading(self, key: str) -> str:
        """Return what an arm is called, as a heading needs it."""
        return self.heading(self.arm(key))

    def term(self, coefficient: str) -> str:
        """Return what a coefficient is called: ``sex[T.girl]`` as its variable and category, ``a:b`` as the two it crosses."""
        return " × ".join(self.heading(self._part(part)) for part in coefficient.split(":"))

    def _part(self, part: str) -> str:
        name, _, level = part.removesuffix("]").partition("[T.")
        if name.endswith(MISSING):
            return self.say("{name} missing", name=self._part(name.removesuffix(MISSING)))
        known = {"baseline": self.say("score at the start"), "Intercept": self.say("Intercept")}
        shown = known.get(name) or self.say.name(name)
        return f"{shown}: {self.arm(level) if name == 'arm' else self.say.name(level)}" if level else shown

    def form(self, key: str) -> str:
        """Return what a questionnaire, or a family of them, is called."""
        return self.say.label(self.results.forms.get(key) or self.study.library.titles(key), key)

    def wave(self, key: str) -> str:
        """Return what a wave is called."""
        return self.say.label(self.study.wave(key).label, key) if key in self.study.wave_ids else key

    @property
    def when(self) -> str:
        """When the cohort was there, as a sentence needs it: a study of one round has no start to speak of."""
        return self.say("at the start") if len(self.study.wave_ids) > 1 else self.say("at the only round of screening")

    def outcome(self, result: OutcomeResult) -> str:
        """Return what an outcome is called."""
        return self.say.label(result.label, result.outcome)

    def method(self, name: str) -> str:
        """Return what a method of inference is called, whether a plan or a result names it."""
        key = name.replace("-", "").casefold()
        called = {
            "kenwardroger": "Kenward-Roger",
            "satterthwaite": "Satterthwaite",
            "betweenwithin": self.say("between-within"),
            "normal": self.say("normal approximation"),
            "jackknife": self.say("jackknife of institutions"),
            "permutation": self.say("permutation of the lot"),
        }
        if key.startswith("cr"):
            return self.say("cluster-robust {kind}", kind=name.upper())
        return called.get(key, name)

    def outcome_at(self, result: OutcomeResult) -> str:
        """Return an outcome with its wave, which is not said twice where the outcome's own name ends with it."""
        name, wave = self.outcome(result), self.wave(result.wave)
        if name.casefold().endswith(wave.casefold()):
            return name
        return self.say("{outcome}, {wave}", outcome=name, wave=wave)

    @property
    def rated_by_staff(self) -> bool:
        """Whether staff of the institutions rated the children."""
        return not {"teacher", "staff"}.isdisjoint(self.results.informants)

    @property
    def reference(self) -> str:
        """What the reference arm is called."""
        return self.arm(self.study.arms[0])

    @property
    def compared(self) -> tuple[str, ...]:
        """What the arms compared with the reference are called, in the order of an outcome's effects."""
        return tuple(self.arm(key) for key in self.study.arms[1:])

    @property
    def favoured(self) -> tuple[str, str]:
        """Whom the two sides of a forest plot favour: the reference arm, and the arm compared, by name where it is one."""
        return self.group(self.reference), self.group(self.compared[0]) if len(self.compared) == 1 else self.say("the other arm")

    def effect_label(self, result: OutcomeResult, position: int, *, with_wave: bool = False) -> str:
        """Return the name of one effect; with more than two arms it says which arm."""
        name = self.outcome_at(result) if with_wave else self.outcome(result)
        return name if len(self.study.arms) == 2 else f"{name}, {self.compared[position]}"
