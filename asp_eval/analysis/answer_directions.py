"""Whether the answers of a wave go the way they are keyed: a trial's tables turned into arrays for `stats.meta.keys`, and back.

An error is what concerns a whole column or form of a wave, until it is mended or confirmed in the mapping; what concerns an
institution or a rater is a caution.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from asp_eval.analysis.direction_wording import (
    AGAINST_MEANS,
    AGAINST_WAVES,
    GROUPS_TURNED,
    concerned,
    earlier_waves,
    mix_up_problem,
)
from asp_eval.core.errors import Place, Problem
from asp_eval.core.phrases import Phrase, some_of
from asp_eval.stats.meta.key_references import (
    BETWEEN_GROUPS,
    BETWEEN_POPULATIONS,
    BETWEEN_WAVES,
    TurnedGroup,
    reference_from,
    reference_of,
    turned_groups,
)
from asp_eval.stats.meta.keys import FEWEST_CHILDREN, Array, Keys, MixUp, Places, correlations, item_rest, mix_ups
from asp_eval.trial.instruments.definition import Instrument
from asp_eval.trial.instruments.parts import Scale
from asp_eval.trial.instruments.scoring import score

MOST_ROWS = 50_000  # of a wave that are looked at, evenly spread: more say nothing more
MOST_NAMED = 8
GROUPS = {"rater_id": Phrase("raters"), "institution_id": Phrase("institutions")}

Confirmed = Callable[[str], bool]
Others = Callable[[], Mapping[str, pd.DataFrame]]


@dataclass(frozen=True, slots=True, eq=False)
class _Keyed:
    """The items of an instrument that a scale counts.

    Attributes
    ----------
    form : Instrument
    items : tuple of str, length p
        Their keys, in the order of the questionnaire.
    scales : tuple of Scale
        The scale of each number in `keys`.
    keys : Keys
    """

    form: Instrument
    items: tuple[str, ...]
    scales: tuple[Scale, ...]
    keys: Keys

    @property
    def columns(self) -> list[str]:
        """The items' stored names."""
        return [f"{self.form.id}.{key}" for key in self.items]

    def values(self, answers: pd.DataFrame) -> Array:
        """Return what each answer counts in its scale, from -1 to 1; NaN where there is none, shape (n, p)."""
        codes = answers[self.columns].to_numpy(dtype=np.float64)
        values = np.full(codes.shape, np.nan)
        for position, key in enumerate(self.items):
            points = self.form.points(self.form.item(key))
            low, high = min(points.values()), max(points.values())
            for code, counts in points.items():
                values[codes[:, position] == code, position] = 2 * (counts - low) / (high - low) - 1 if high > low else 0.0
        return values


def direction_problems(
    form: Instrument, answers: pd.DataFrame, source: str, *, confirmed: Confirmed, others: Others
) -> Iterator[Problem]:
    """Yield what shows that the answers to an instrument at a wave do not go the way they are keyed.

    Parameters
    ----------
    form : Instrument
    answers : DataFrame
        One row per child, items under their stored names, with ``institution_id`` and, where it is known, ``rater_id``.
    source : str
        The file, or the table and wave, for the place of a problem.
    confirmed : callable
        Whether somebody has looked at a column; what concerns such columns alone is passed over.
    others : callable
        Returns the answers at other waves, by wave. Is called only where something is to be compared with them.
    """
    keyed = _keyed(form)
    if keyed is None or not set(keyed.columns) <= set(answers.columns):
        return
    answers = _looked_at(answers, keyed.columns)
    values = keyed.values(answers)
    found = mix_ups(values, keyed.keys)
    if not found and len(values) < FEWEST_CHILDREN:
        return
    waves = others()
    beside = [keyed.values(_looked_at(other, keyed.columns)) for other in waves.values()]
    elsewhere = np.concatenate(beside) if beside else np.empty((0, len(keyed.items)))
    for mix_up in found:
        columns = [keyed.columns[item] for item in mix_up.items]
        if not all(map(confirmed, columns)):
            yield _mix_up(keyed, answers, mix_up, source, elsewhere)
    if found:
        return  # what follows compares answers, and needs them to be in order
    turned = _turned_wave(keyed, values, elsewhere)
    if turned is not None:
        columns = [keyed.columns[item] for item in turned.items]
        if not all(map(confirmed, columns)):
            yield _turned(keyed, answers, turned, source, earlier_waves(tuple(waves)) if len(elsewhere) else None)
        return
    yield from _turned_groups(keyed, answers, values, source)


def _keyed(form: Instrument) -> _Keyed | None:
    """Return the items that a scale counts, each in the first scale that does; none if there are too few."""
    scale_of = {key: position for position, scale in reversed(list(enumerate(form.scales))) for key in scale.items}
    items = [item for item in form.items if item.key in scale_of and len(form.codes(item)) > 1]
    if len(items) < 2:
        return None
    present = sorted({scale_of[item.key] for item in items})
    sets = list(form.response_sets)
    keys = Keys(
        tuple(present.index(scale_of[item.key]) for item in items),
        tuple(item.reverse for item in items),
        tuple(sets.index(item.responses) for item in items),
    )
    return _Keyed(form, tuple(item.key for item in items), tuple(form.scales[position] for position in present), keys)


def _looked_at(answers: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return the rows with an answer, at most `MOST_ROWS` of them."""
    rows = answers[answers[list(columns)].notna().any(axis=1).to_numpy()]
    return rows.iloc[:: max(1, -(-len(rows) // MOST_ROWS))]


def _turned_wave(keyed: _Keyed, values: Array, elsewhere: Array) -> TurnedGroup | None:
    """Return the columns that a wave has the other way round than the other waves or, without these, than published means."""
    if len(elsewhere) >= FEWEST_CHILDREN:
        whole = np.zeros(len(values), dtype=np.int64)
        found = turned_groups(values, whole, keyed.keys, reference_of(elsewhere, keyed.keys), between=BETWEEN_WAVES)
        return found[0] if found else None
    found = _against_published(keyed, values)
    return found[0] if found else None


def _against_published(keyed: _Keyed, values: Array) -> tuple[TurnedGroup, ...]:
    """Return the scales, as columns of items, that a wave has the other way round than means published with the instrument."""
    wanted = {scale.key for scale in keyed.scales}
    made_on = next((each for each in keyed.form.bands.sets if each.means.keys() >= wanted), None)
    if made_on is None:
        return ()
    published, sample = made_on.means, made_on.sample or len(values)
    of_item, numbers = np.asarray(keyed.keys.scales), range(len(keyed.scales))
    scores = np.full((len(values), len(numbers)), np.nan)
    for number in numbers:
        own = values[:, of_item == number]
        answered = (~np.isnan(own)).sum(axis=1)
        np.divide(np.nansum(own, axis=1), answered, out=scores[:, number], where=answered > 0)
    half = np.array([(scale.range.to - scale.range.from_) / 2 for scale in keyed.scales])
    mean = np.array([published[scale.key].mean - scale.range.from_ for scale in keyed.scales]) / half - 1
    sd = np.array([published[scale.key].sd for scale in keyed.scales]) / half
    apart = Keys(tuple(numbers), (False,) * len(numbers), (0,) * len(numbers))
    reference, whole = reference_from(mean, sd, correlations(scores), sample), np.zeros(len(values), dtype=np.int64)
    return tuple(
        TurnedGroup(0, tuple(int(item) for item in np.flatnonzero(np.isin(of_item, found.items))), found.children, found.gain)
        for found in turned_groups(scores, whole, apart, reference, between=BETWEEN_POPULATIONS)
    )


def _turned_groups(keyed: _Keyed, answers: pd.DataFrame, values: Array, source: str) -> Iterator[Problem]:
    """Yield a caution for every set of columns that raters or institutions have the other way round than the rest."""
    reference = reference_of(values, keyed.keys)
    for column, kind in GROUPS.items():
        if column not in answers.columns:
            continue
        place, names = pd.factorize(answers[column])
        by_items: dict[tuple[int, ...], list[TurnedGroup]] = {}
        for group in turned_groups(values, place, keyed.keys, reference, between=BETWEEN_GROUPS):
            by_items.setdefault(group.items, []).append(group)
        for items, groups in by_items.items():
            named = some_of(sorted(str(names[group.group]) for group in groups), MOST_NAMED)
            n = sum(group.children for group in groups)
            yield GROUPS_TURNED.at(_place(keyed, items, source), kind=kind, names=named, n=n, what=_what(keyed, items))


def _mix_up(keyed: _Keyed, answers: pd.DataFrame, mix_up: MixUp, source: str, elsewhere: Array) -> Problem:
    others = None
    if len(elsewhere) >= FEWEST_CHILDREN:
        others = item_rest(correlations(elsewhere), np.asarray(keyed.keys.scales))[list(mix_up.items)]
    changed = _changed_scores(keyed, answers, mix_up.source, mix_up.sign)
    scales = [keyed.scales[keyed.keys.scales[item]].key for item in mix_up.items]
    opposite = len({keyed.keys.reversed[item] for item in mix_up.items}) > 1
    return mix_up_problem(keyed.form, mix_up, keyed.items, scales, opposite, _place(keyed, mix_up.items, source), others, changed)


def _turned(keyed: _Keyed, answers: pd.DataFrame, turned: TurnedGroup, source: str, waves: Phrase | None) -> Problem:
    sign = np.ones(len(keyed.items))
    sign[list(turned.items)] = -1
    changed = _changed_scores(keyed, answers, np.arange(len(sign)), sign)
    part = _place(keyed, turned.items, source)
    details = {"what": _what(keyed, turned.items), "scores": changed, "part": part.column}
    return AGAINST_MEANS.at(part, **details) if waves is None else AGAINST_WAVES.at(part, waves=waves, **details)


def _what(keyed: _Keyed, items: Sequence[int]) -> Phrase:
    """Say which answers: of one item, of a scale, or all."""
    if len(items) == 1:
        return Phrase("the answers to {item}", item=keyed.items[items[0]])
    if len(items) == len(keyed.items):
        return Phrase("all answers")
    scales = list(dict.fromkeys(keyed.scales[keyed.keys.scales[item]].key for item in items))
    return Phrase("the answers of {scales}", scales=", ".join(scales))


def _place(keyed: _Keyed, items: Sequence[int], source: str) -> Place:
    return Place(source, column=keyed.columns[items[0]] if len(items) == 1 else keyed.form.id)


def _changed_scores(keyed: _Keyed, answers: pd.DataFrame, source: Places, sign: Array) -> Phrase:
    """Say what mending would change in the scale whose scores it changes most."""
    reverse = np.where(keyed.keys.reversed, -1.0, 1.0)
    mended = {}
    for position, key in enumerate(keyed.items):
        codes = answers[keyed.columns[int(source[position])]]
        if sign[position] * reverse[position] * reverse[int(source[position])] < 0:
            own = keyed.form.codes(keyed.form.item(key))
            codes = own[0] + own[-1] - codes
        mended[keyed.columns[position]] = codes
    before, after = score(keyed.form, answers), score(keyed.form, answers.assign(**mended))
    scales = [scale.key for scale in keyed.scales]
    shares = (before[scales] != after[scales]).where(before[scales].notna(), other=False).mean()
    most = str(shares.idxmax())
    return concerned(most, float(before[most].mean()), float(after[most].mean()), float(shares[most]))
