"""How often each interval holds the effect that its own row names.

    python benchmarks/estimator_coverage.py run --trials 2000       # goes on where it stopped; one core
    python benchmarks/estimator_coverage.py table                   # docs/estimator-coverage.md

Every cell is a kind of trial; its trials are drawn by (cell, number of the batch) and are the same whenever they are run. Cells
are gone through in turn, batch by batch, so that all of them hold about as many trials whenever the run is stopped. Sums are
kept in ``benchmarks/estimator_coverage.csv``.
"""

from __future__ import annotations

import argparse
import csv
import math
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

import asp_eval as asp  # noqa: E402
from asp_eval.stats.linear.cluster_means import cluster_means  # noqa: E402
from asp_eval.stats.meta.effect_size import total_effect_size  # noqa: E402

HERE = Path(__file__).parent
COUNTS, PAGE = HERE / "estimator_coverage.csv", HERE.parent / "docs" / "estimator-coverage.md"
BATCH, LOTS, WILD = 10, 399, 999
LOW, HIGH = 0.925, 0.975
NUMBERS = ("batches", "trials", "covered", "unavailable")
ARM = "arm[T.intervention]"


@dataclass(frozen=True)
class Cell:
    """A kind of trial: institutions, their sizes, the share of them in the intervention arm, and how the scores come about."""

    name: str
    institutions: int
    sizes: tuple[int, ...] = (15,)
    effects: tuple[float, ...] = (0.3,)
    treated: float = 0.5
    icc: float = 0.06
    skewed: bool = False
    kind: str = "arms"  # or "offer" (two-stage least squares), "waves"
    offer: float = 0.6  # share of the offered that take

    @property
    def truth(self) -> dict[str, float]:
        """The effect by whom it is an average over; the constant one only where it is constant."""
        sizes, effects = np.resize(self.sizes, 2), np.resize(self.effects, 2)
        known = {"institution": float(effects.mean()), "participant": float((sizes * effects).sum() / sizes.sum())}
        return known | ({"precision": effects[0], "constant": effects[0]} if effects[0] == effects[1] else {})


CELLS = (
    Cell("60 institutions", 60),
    Cell("40 institutions", 40),
    Cell("20 institutions", 20),
    Cell("20 institutions, sizes 5 and 45", 20, (5, 45)),
    Cell("20 institutions, ICC .2", 20, icc=0.2),
    Cell("20 institutions, 5 of them treated", 20, treated=0.25),
    Cell("40 institutions, 10 of them treated", 40, treated=0.25),
    Cell("20 institutions, skewed scores", 20, skewed=True),
    Cell("40 institutions, skewed scores", 40, skewed=True),
    Cell("20 institutions, informative sizes 10 and 70", 20, (10, 70), (0.4, 0.0)),
    Cell("60 institutions, informative sizes 10 and 70", 60, (10, 70), (0.4, 0.0)),
    Cell("20 institutions, no variance between them", 20, icc=0.0),
    Cell("8 institutions", 8),
    Cell("8 institutions, skewed scores", 8, skewed=True),
    Cell("24 institutions, 60 % took the offer", 24, kind="offer"),
    Cell("40 institutions, 60 % took the offer", 40, kind="offer"),
    Cell("24 institutions, 10 % took the offer (weak)", 24, kind="offer", offer=0.1),
    Cell("20 institutions, three waves", 20, kind="waves"),
    Cell("40 institutions, three waves, skewed scores", 40, kind="waves", skewed=True),
)


def noise(random: np.random.Generator, n: int, variance: float, *, skewed: bool) -> np.ndarray:
    """Errors of mean zero; skewed ones are exponential, as scores with most children at the floor are."""
    return math.sqrt(variance) * (random.exponential(size=n) - 1.0 if skewed else random.normal(size=n))


def children(cell: Cell, random: np.random.Generator) -> pd.DataFrame:
    """One trial: two kinds of institutions in each arm, a baseline covariate, and the score."""
    J, treated = cell.institutions, round(cell.institutions * cell.treated)
    kind = np.arange(J) % 2
    arm = random.permutation(np.arange(J) < treated).astype(int)
    sizes, effects = np.resize(cell.sizes, 2)[kind], np.resize(cell.effects, 2)[kind]
    code = np.repeat(np.arange(J), sizes)
    x = random.normal(size=len(code))
    level = math.sqrt(cell.icc) * random.normal(size=J)
    y = 0.5 * x + level[code] + (arm * effects)[code] + noise(random, len(code), 1.0 - cell.icc, skewed=cell.skewed)
    arms = pd.Categorical(np.array(["reference", "intervention"])[arm[code]], ["reference", "intervention"])
    return pd.DataFrame({"inst": code, "kind": kind[code], "arm": arms, "x": x, "y": y, "size": sizes[code]})


def rows_of(cell: Cell, random: np.random.Generator) -> Iterator[tuple[str, str, float | None, float | None]]:
    """Yield estimator, average, and the ends of the interval of one trial."""
    if cell.kind == "offer":
        yield from _offer(cell, random)
    elif cell.kind == "waves":
        yield from _waves(cell, random)
    else:
        yield from _arms(cell, children(cell, random), random)


def _arms(cell: Cell, frame: pd.DataFrame, random: np.random.Generator) -> Iterator[tuple[str, str, float | None, float | None]]:
    mixed = asp.lmm("y ~ arm + x + (1 | inst)", frame)
    least = asp.ols("y ~ arm + x", frame, cluster="inst")
    equations = asp.gee("y ~ arm + x", frame, cluster="inst", correlation="exchangeable")
    weighed = ["precision"] if "precision" in cell.truth else ["participant", "institution"]
    answers = [
        ("mixed model, Kenward-Roger", weighed, mixed.contrast({ARM: 1.0}, asp.KenwardRoger())),
        ("mixed model, CR2", weighed, mixed.contrast({ARM: 1.0}, asp.CR2())),
        ("estimating equations, Mancl-DeRouen", weighed, equations.contrast({ARM: 1.0}, asp.ManclDeRouen())),
        ("least squares, CR2", ["participant"], least.contrast({ARM: 1.0}, asp.CR2())),
        ("least squares, wild bootstrap", ["participant"], least.contrast({ARM: 1.0}, asp.WildBootstrap(WILD, 1))),
        ("means of institutions, CR2", ["institution"], cluster_means(least).contrast({ARM: 1.0}, asp.CR2())),
    ]
    if "constant" in cell.truth:
        yield "permutation of the lot", "constant", *_permuted(cell, frame, random)
    for name, averages, row in answers:
        for average in averages:
            yield name, average, row.conf_low, row.conf_high
    for average, row in _standardised(frame, cell).items():
        yield "model-robust standardisation, jackknife", average, row[0], row[1]
    if "precision" in cell.truth:
        yield _effect_size(frame, answers[0][2])


def _permuted(cell: Cell, frame: pd.DataFrame, random: np.random.Generator) -> tuple[float, float]:
    """The interval holds the truth if the test of it does not reject: then no inversion is needed."""
    truth, treated = cell.truth["constant"], (frame["arm"] == "intervention").to_numpy(int)
    first = frame.drop_duplicates("inst")["arm"].eq("intervention").to_numpy(int)
    draws = np.array([random.permutation(first) for _ in range(LOTS)])
    lot = asp.Allocations(tuple(str(k) for k in range(cell.institutions)), draws, False, ("reference", "intervention"))
    fit = asp.lmm("y ~ arm + x + (1 | inst)", frame.assign(y=frame["y"] - truth * treated))
    p = fit.contrast({ARM: 1.0}, asp.Permutation("arm", lot, interval=False)).p_value
    return (truth, truth) if p is None or p > 0.05 - 1e-9 else (9.0, 9.0)


def _standardised(frame: pd.DataFrame, cell: Cell) -> dict[str, tuple[float, float]]:
    table = asp.standardised_effects(
        "y ~ arm + x",
        frame.assign(arm=(frame["arm"] == "intervention") * 1.0),
        cluster="inst",
        arm="arm",
        probability=cell.treated,
    )
    table = table.set_index("average")
    names = {"institution": "cluster", "participant": "participant"}
    return {k: (float(table.loc[v, "conf_low"]), float(table.loc[v, "conf_high"])) for k, v in names.items() if v in table.index}


def _effect_size(frame: pd.DataFrame, row: asp.Estimate) -> tuple[str, str, float | None, float | None]:
    """The difference in total standard deviations of the model with the arm alone, as the report prints it."""
    variances = asp.lmm("y ~ arm + (1 | inst)", frame).variance_components().set_index("group")["variance"]
    sizes = [frame.loc[frame["arm"] == arm, "inst"].value_counts().to_numpy() for arm in ("intervention", "reference")]
    found = total_effect_size(
        row.estimate,
        row.std_error,
        row.df,
        between_variance=float(variances["inst"]),
        within_variance=float(variances["residual"]),
        sizes_treated=sizes[0],
        sizes_control=sizes[1],
    )
    return "effect size (Hedges)", "standardised", found.conf_low, found.conf_high


def _offer(cell: Cell, random: np.random.Generator) -> Iterator[tuple[str, str, float | None, float | None]]:
    """One-sided: some of the institutions that are offered take; takers have an effect of .5, and higher scores without it."""
    frame = children(Cell("", cell.institutions, effects=(0.0,), icc=cell.icc), random)
    first = frame.drop_duplicates("inst").set_index("inst")
    willing = random.permutation(np.arange(cell.institutions) < round(cell.offer * cell.institutions))
    taken = willing & (first["arm"] == "intervention").to_numpy()
    frame = frame.assign(taken=1.0 * taken[frame["inst"]], offered=(frame["arm"] == "intervention") * 1.0)
    frame["y"] += 0.5 * frame["taken"] + 0.2 * willing[frame["inst"]]
    try:
        fit = asp.complier_effect("y ~ taken + x | offered + x", frame, cluster="inst")
        row, found = fit.effect(), fit.anderson_rubin
    except asp.Refusal:
        return
    if fit.first_stage.F >= 10:
        yield "two-stage least squares, CR2 (where F is 10 or more)", "complier", row.conf_low, row.conf_high
    yield "two-stage least squares, CR2 (whatever F is)", "complier", row.conf_low, row.conf_high
    inside = (found.low <= 0.5 <= found.high) != (found.kind == "rays")
    yield "Anderson-Rubin set", "complier", *((0.5, 0.5) if inside else (9.0, 9.0))


def _waves(cell: Cell, random: np.random.Generator) -> Iterator[tuple[str, str, float | None, float | None]]:
    """Three waves with a tenth of the later ones missing; effects 0, .15 and .3."""
    J = cell.institutions
    code = np.repeat(np.arange(J), 15)
    arm = random.permutation(np.arange(J) % 2)
    level, own, parts = 0.2 * random.normal(size=J), 0.7 * random.normal(size=len(code)), []
    for wave in range(3):
        now = 0.12 * random.normal(size=J)
        y = level[code] + now[code] + own + 0.15 * wave * arm[code] + noise(random, len(code), 0.5, skewed=cell.skewed)
        parts.append(pd.DataFrame({"inst": code, "child": np.arange(len(code)), "wave": f"w{wave}", "arm": arm[code], "y": y}))
        parts[-1] = parts[-1].loc[(wave == 0) | (random.random(len(code)) < 0.9)]
    frame = pd.concat(parts, ignore_index=True)
    for wave in ("w1", "w2"):
        frame[wave] = 1.0 * (frame["wave"] == wave)
        frame[f"arm_{wave}"] = frame[wave] * frame["arm"]
    fit = asp.lmm("y ~ w1 + w2 + arm_w1 + arm_w2 + (1 | inst) + (1 | inst:wave) + (1 | child)", frame)
    for wave, truth in (("w1", 0.15), ("w2", 0.3)):
        row = fit.contrast({f"arm_{wave}": 1.0}, asp.KenwardRoger())
        yield f"all waves, effect at {wave}", f"{truth:g}", row.conf_low, row.conf_high


def truth_of(cell: Cell, average: str) -> float:
    """The effect that a row names."""
    if cell.kind == "waves":
        return float(average)
    if average == "complier":
        return 0.5
    if average == "standardised":
        return cell.truth["precision"] / math.sqrt(1.25)  # the total variance without the covariate: 1 + .25
    return cell.truth[average]


def run(trials: int) -> None:
    """Go through the cells batch by batch, and keep the sums."""
    sums = _stored()
    for batch in range(math.ceil(trials / BATCH)):
        for position, cell in enumerate(CELLS):
            if batch < sums.get((cell.name, "", ""), Counter())["batches"]:
                continue
            for trial in range(BATCH):
                random = np.random.default_rng([2027, position, batch, trial])
                for name, average, low, high in rows_of(cell, random):
                    known = low is not None and high is not None
                    row = sums.setdefault((cell.name, name, average), Counter())
                    row.update(trials=1, unavailable=not known, covered=known and low <= truth_of(cell, average) <= high)
            sums.setdefault((cell.name, "", ""), Counter()).update(batches=1)
        _store(sums)


Sums = dict[tuple[str, str, str], Counter[str]]
"""Of a cell, an estimator and the average it names; of a cell alone, how many batches were drawn."""


def _stored() -> Sums:
    if not COUNTS.exists():
        return {}
    with COUNTS.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {(row["cell"], row["estimator"], row["average"]): Counter({name: int(row[name]) for name in NUMBERS}) for row in rows}


def _store(sums: Sums) -> None:
    part = COUNTS.with_suffix(".part")
    with part.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["cell", "estimator", "average", *NUMBERS])
        out.writerows([*key, *(row[name] for name in NUMBERS)] for key, row in sums.items())
    part.replace(COUNTS)


def table() -> None:
    """Write the page."""
    named = ["cell", "estimator", "average"]
    rows = [dict(zip(named, key, strict=True)) | dict(row) for key, row in _stored().items() if key[1]]
    sums = pd.DataFrame(rows)
    lines = [_INTRODUCTION.format(least=sums["trials"].min(), most=sums["trials"].max())]
    for cell in CELLS:
        mine = sums.loc[sums["cell"] == cell.name]
        if mine.empty:
            continue
        lines += [f"\n## {cell.name}\n", "| interval | the effect it is held against | coverage | Monte Carlo error | trials |"]
        lines.append("|---|---|---|---|---|")
        for row in mine.itertuples():
            known = row.trials - row.unavailable
            share = row.covered / known if known else float("nan")
            error = math.sqrt(max(share * (1 - share), 0.0) / known) if known else float("nan")
            mark = "" if LOW - 2 * error <= share <= HIGH + 2 * error else " **outside**"
            gone = f" ({row.unavailable} without an interval)" if row.unavailable else ""
            against = f"{row.average}, {truth_of(cell, row.average):.3g}"
            lines.append(f"| {row.estimator} | {against} | {100 * share:.1f} %{mark} | {100 * error:.1f} | {row.trials}{gone} |")
    PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")


_INTRODUCTION = """# How often each interval holds the effect that its own row names

Made by `benchmarks/estimator_coverage.py`, which can go on where it stopped: {least} to {most} trials a row. The Monte
Carlo error is of the coverage, in percentage points; **outside** marks a coverage that is more than two such errors outside of
92.5 to 97.5 %. Every interval is a 95 % one and is held against the effect that its row names in the report: of children counting
equally (participant), of institutions counting equally, or one effect for everybody (constant; precision, where all are the
same). Under informative sizes there is no effect that the mixed model and exchangeable estimating equations name, and they are
held against both averages: they estimate neither, which the report says beside them.

Scores have a total variance of 1.25, of which a baseline covariate explains .25. Informative sizes: institutions of 10 children
with an effect of .4 and of 70 without one, so that the effect is .05 for participants and .2 for institutions. Skewed scores have
exponential errors. The permutation test draws 399 lots, the wild bootstrap 999; whether
the permutation interval holds the effect is asked by testing that effect.

What does not hold: with 60 institutions of informative sizes the mixed model and exchangeable estimating equations hold
neither average often enough, 85 to 90 % (the report says that they weigh by precision). With a weak offer the interval of
two-stage least squares is not right, and below an F of 10 the report shows the Anderson-Rubin set alone. With 8 institutions,
and where institutions do not vary, Kenward-Roger is cautious (96.5 to 97.8 %), and the results carry a note."""


def main() -> None:
    """Run, or write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["run", "table"])
    parser.add_argument("--trials", type=int, default=2000)
    asked = parser.parse_args()
    run(asked.trials) if asked.what == "run" else table()


if __name__ == "__main__":
    main()
