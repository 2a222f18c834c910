"""How often mix-ups of columns and codes are found, and how often clean waves are suspected.

python benchmarks/answer_directions.py [--waves 2000] [--write docs/answer-directions.md]

Children's answers are drawn from the population values of `asp_eval.synthetic.population`: a graded response model with the
correlations of the scales, age, sex and education, and the shares of institutions (50 children) and raters (12 children each).
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from asp_eval.analysis.answer_directions import direction_problems
from asp_eval.stats.meta.keys import Keys, correlations, mix_ups, mix_ups_in
from asp_eval.synthetic import population as pop
from asp_eval.synthetic.calibration import covariate_cells, factor_mean, latent_scale
from asp_eval.trial.instruments.library import instrument

INSTITUTION, RATER = 50, 12
SDQ, COMPETENCES = instrument("sdq-teacher-4-17"), instrument("gap-competences-child")
LEVELS = np.random.default_rng(4).standard_normal(len(COMPETENCES.scales))  # of the competences, the same at every wave
WEAK = 0.4  # Cronbach's alpha of a weak scale
DOC = Path(__file__).parents[1] / "docs" / "answer-directions.md"
START, END = "<!-- figures: benchmarks/answer_directions.py -->", "<!-- end of figures -->"

Draw = Callable[[np.random.Generator, int], np.ndarray]  # n children -> what each answer counts, from -1 to 1, (n, p)


def keys_of(form) -> Keys:
    scale = {key: position for position, scale in enumerate(form.scales) for key in scale.items}
    return Keys(tuple(scale[i.key] for i in form.items), tuple(i.reverse for i in form.items), (0,) * len(form.items))


def sdq(loadings: dict[str, float] | None = None) -> Draw:
    """Return a draw of SDQ answers; `loadings` replace the population's."""
    correlate = np.linalg.cholesky(np.asarray(pop.FACTOR_CORRELATION)).T
    scales = [latent_scale(key) for key in pop.SCALE_KEYS]
    cells = covariate_cells()

    def draw(rng: np.random.Generator, n: int) -> np.ndarray:
        cell = rng.choice(len(cells.share), n, p=cells.share)
        factor = np.stack(
            [factor_mean(s.declared, cells.age[0][cell], cells.boy[cell], cells.step[cell]) for s in scales], axis=1
        )
        for size, shares in (
            (INSTITUTION, [s.institution for s in scales]),
            (RATER, [s.rater for s in scales]),
            (1, [s.child for s in scales]),
        ):
            part = rng.standard_normal((math.ceil(n / size), len(scales))) @ correlate * np.sqrt(shares)
            factor += part[np.arange(n) // size]
        values = np.empty((n, len(SDQ.items)))
        for position, scale in enumerate(scales):
            loading = (loadings or {}).get(scale.declared.key, scale.declared.loading)
            residual = math.sqrt(1 - loading**2) * rng.standard_normal((n, 5))
            latent = loading * factor[:, position, None] + residual
            columns = [SDQ.item_keys.index(key) for key in SDQ.scales[position].items]
            values[:, columns] = (latent > scale.thresholds[:, 0]).astype(int) + (latent > scale.thresholds[:, 1]) - 1
        return values

    return draw


def competences(rng: np.random.Generator, n: int) -> np.ndarray:
    """Draw answers to gap-competences-child."""
    v, dimensions = pop.COMPETENCES, len(COMPETENCES.scales)
    institution = rng.standard_normal((math.ceil(n / INSTITUTION), dimensions))[np.arange(n) // INSTITUTION]
    rater = rng.standard_normal((math.ceil(n / RATER), 1))[np.arange(n) // RATER]
    own = math.sqrt(v.general) * rng.standard_normal((n, 1)) + math.sqrt(1 - v.general) * rng.standard_normal((n, dimensions))
    share = 1 - v.child_institution - v.child_rater
    factor = math.sqrt(v.child_institution) * institution + math.sqrt(v.child_rater) * rater + math.sqrt(share) * own
    factor += v.dimension_sd * LEVELS
    latent = v.loading * factor[:, keys_of(COMPETENCES).scales]
    latent += math.sqrt(1 - v.loading**2) * rng.standard_normal(latent.shape)
    return np.searchsorted(np.linspace(*v.child_cuts, 4), latent) / 2 - 1


def weak_loadings() -> dict[str, float]:
    """Return the loadings at which each scale's alpha is `WEAK`, by bisection on the same 20,000 children."""
    found = {}
    for position, key in enumerate(pop.SCALE_KEYS):
        columns = [SDQ.item_keys.index(item) for item in SDQ.scales[position].items]
        low, high = 0.2, 0.8
        for _ in range(12):
            middle = (low + high) / 2
            covariance = np.cov(sdq({key: middle})(np.random.default_rng(1), 20_000)[:, columns], rowvar=False)
            alpha = 1.25 * (1 - np.trace(covariance) / covariance.sum())
            low, high = (middle, high) if alpha < WEAK else (low, middle)
        found[key] = low
    return found


def frame_of(form, values: np.ndarray) -> pd.DataFrame:
    """Return values as the codes that a file would hold, with who rated where."""
    n, columns = len(values), {}
    for position, item in enumerate(form.items):
        codes = form.codes(item)
        value = -values[:, position] if item.reverse else values[:, position]
        columns[f"{form.id}.{item.key}"] = codes[0] + (value + 1) / 2 * (codes[-1] - codes[0])
    place = np.arange(n)
    return pd.DataFrame(columns | {"institution_id": place // INSTITUTION, "rater_id": place // RATER})


def codes_said(form, values: np.ndarray, others: dict[str, pd.DataFrame] | None = None) -> list[str]:
    frame = frame_of(form, values)
    return [p.code for p in direction_problems(form, frame, "w", confirmed=lambda _: False, others=lambda: others or {})]


def mixed(keys: Keys) -> Iterator[tuple[str, tuple[int, ...], np.ndarray, np.ndarray]]:
    """Yield every reversal of an item, and every swap of two columns that changes a score."""
    keyed, whole = np.where(keys.reversed, -1.0, 1.0), np.arange(len(keys.scales))
    for item in whole:
        yield "an item turned round", (int(item),), whole, np.where(whole == item, -1.0, 1.0)
    for a, b in combinations(range(len(whole)), 2):
        if keys.scales[a] != keys.scales[b] or keys.reversed[a] != keys.reversed[b]:
            source = whole.copy()
            source[[a, b]] = b, a
            kind = "two columns swapped, of two scales" if keys.scales[a] != keys.scales[b] else "two swapped, keyed differently"
            yield kind, (a, b), source, keyed * keyed[source]


def detection(form, draw: Draw, n: int, waves: int, seed: int) -> dict[str, tuple[int, float, float, float]]:
    """Return by kind: how many mix-ups there are, the share found, found as what it is, and the least share of any one."""
    keys, cases = keys_of(form), list(mixed(keys_of(form)))
    found = np.zeros((len(cases), 2))
    rng = np.random.default_rng(seed)
    for _ in range(waves):
        clean = correlations(draw(rng, n))
        for row, (_, items, source, sign) in enumerate(cases):
            said = mix_ups_in(clean[np.ix_(source, source)] * np.outer(sign, sign), n, keys)
            found[row] += bool(said), any(set(one.items) == set(items) for one in said)
    shares = found / waves
    kinds = list(dict.fromkeys(case[0] for case in cases))
    rows = {kind: [r for r, case in enumerate(cases) if case[0] == kind] for kind in kinds}
    return {k: (len(r), shares[r, 0].mean(), shares[r, 1].mean(), shares[r, 0].min()) for k, r in rows.items()}


def other_mix_ups(draw: Draw, n: int, waves: int) -> dict[str, tuple[str, float]]:
    """Return the mix-ups of several columns, of codes, and of one rater or institution: the code awaited, the share found."""
    rng, keys = np.random.default_rng([n, 3]), keys_of(SDQ)
    keyed = np.where(keys.reversed, -1.0, 1.0)
    cases = {
        "all columns shifted by one": "KEY-004",
        "shifted from the tenth on": "KEY-004",
        "reversed items turned already": "KEY-005",
        "all codes turned, beside published means": "KEY-007",
        "all codes turned, beside another wave": "KEY-006",
        "conduct turned, beside another wave": "KEY-006",
        "hyper turned, beside another wave": "KEY-006",
        "a rater of 12 upside down": "KEY-010",
        "an item turned in an institution of 50": "KEY-010",
    }
    hits = dict.fromkeys(cases, 0)
    scales = np.asarray(keys.scales)
    for _ in range(waves):
        values = draw(rng, n)
        raw = values * keyed
        late = np.r_[np.arange(9), np.roll(np.arange(9, 25), 1)]
        other = {"v": frame_of(SDQ, draw(rng, n))}
        one, item = values.copy(), values.copy()
        one[:RATER] *= -1
        item[:INSTITUTION, rng.integers(25)] *= -1
        said = {
            "all columns shifted by one": codes_said(SDQ, np.roll(raw, 1, axis=1) * keyed),
            "shifted from the tenth on": codes_said(SDQ, raw[:, late] * keyed),
            "reversed items turned already": codes_said(SDQ, values * keyed),
            "all codes turned, beside published means": codes_said(SDQ, -values),
            "all codes turned, beside another wave": codes_said(SDQ, -values, other),
            "conduct turned, beside another wave": codes_said(SDQ, np.where(scales == 1, -values, values), other),
            "hyper turned, beside another wave": codes_said(SDQ, np.where(scales == 2, -values, values), other),
            "a rater of 12 upside down": codes_said(SDQ, one),
            "an item turned in an institution of 50": codes_said(SDQ, item),
        }
        for name, code in cases.items():
            hits[name] += code in said[name]
    return {name: (code, hits[name] / waves) for name, code in cases.items()}


def clean(form, draw: Draw, n: int, waves: int) -> tuple[float, float]:
    """Return the share of clean waves with an error, and with an error or a caution; half of them beside another wave."""
    rng, errors, any_ = np.random.default_rng([n, 9]), 0, 0
    for number in range(waves):
        values = draw(rng, n)
        others = {"v": frame_of(form, draw(rng, n))} if number % 2 else {}
        said = codes_said(form, values, others)
        errors += any(code != "KEY-010" for code in said)
        any_ += bool(said)
    return errors / waves, any_ / waves


def figures(waves: int) -> str:
    """Return the tables as Markdown."""
    strong, weak = sdq(), sdq(weak_loadings())
    populations = (("SDQ", SDQ, strong), (f"SDQ, every alpha {WEAK}", SDQ, weak), ("competences", COMPETENCES, competences))
    lines = ["| population | children | waves | with an error | with an error or a caution |", "|---|---:|---:|---:|---:|"]
    for name, form, draw in populations:
        for n in (100, 300, 3000) if draw is strong else (100, 300):
            runs = waves // (1 if draw is strong and n < 3000 else 4 if n < 3000 else 40)
            error, any_ = clean(form, draw, n, runs)
            lines.append(f"| {name} | {n:,} | {runs:,} | {error:.2%} | {any_:.2%} |")
            print(lines[-1], flush=True)
    lines += [
        "",
        "| population | children | mix-up | how many | found | told as what it is | found, the hardest one |",
        "|---|---:|---|---:|---:|---:|---:|",
    ]
    for name, form, draw in populations:
        for n in (100, 300):
            for kind, (count, found, told, least) in detection(form, draw, n, waves // 100, n).items():
                lines.append(f"| {name} | {n} | {kind} | {count} | {found:.1%} | {told:.1%} | {least:.0%} |")
                print(lines[-1], flush=True)
    lines += ["", "| SDQ, mix-up | code | found of 100 children | of 300 |", "|---|---|---:|---:|"]
    small, large = other_mix_ups(strong, 100, waves // 50), other_mix_ups(strong, 300, waves // 50)
    lines += [f"| {name} | {code} | {share:.0%} | {large[name][1]:.0%} |" for name, (code, share) in small.items()]
    values = strong(np.random.default_rng(1), 3000)
    mix_ups(values, keys_of(SDQ))
    frame = frame_of(SDQ, values)
    began = time.process_time()
    list(direction_problems(SDQ, frame, "w", confirmed=lambda _: False, others=dict))
    lines += [
        "",
        f"A wave of 3,000 children, all scales, institutions and raters: {time.process_time() - began:.3f} s of processor.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--waves", type=int, default=2000)
    parser.add_argument("--write", type=Path)
    asked = parser.parse_args()
    text = figures(asked.waves)
    print(text)
    if asked.write:
        page = asked.write.read_text(encoding="utf-8")
        before, rest = page.split(START)
        asked.write.write_text(f"{before}{START}\n\n{text}\n\n{END}{rest.split(END)[1]}", encoding="utf-8")
