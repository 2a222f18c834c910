"""One Python program, one task: run by `engine.py` in a process of its own, prints one JSON line.

python benchmarks/peers.py TASK FOLDER REPETITIONS
"""

from __future__ import annotations

import gc
import json
import sys
import tempfile
import time
import tracemalloc
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parent))
from trial_data import CLASSES, CROSSED, FORMULA, GROWTH, read_columns, read_frame

Prepared = tuple[Callable[[], object], Callable[[object], float | tuple[float, float]]]
"""What is timed, and how to read from its result the standard error of the effect, with its df where the program gives any."""

ARM = {"arm[T.intervention]": 1.0}
FIXED = ("arm", "base", "male", "age", "muni")


def asp_frame_kr(folder: Path) -> Prepared:
    import asp_eval

    frame = read_frame(folder)
    return lambda: asp_eval.lmm(FORMULA, frame).tidy(method=asp_eval.KenwardRoger()), _arm


def asp_frame_fit(folder: Path) -> Prepared:
    import asp_eval

    frame = read_frame(folder)
    return lambda: asp_eval.lmm(FORMULA, frame), lambda fit: _arm(fit.tidy(method=asp_eval.Normal()))


def asp_arrays_kr(folder: Path) -> Prepared:
    import asp_eval

    X, y, inst, names = _arrays(folder)

    def run() -> object:
        moments = asp_eval.Moments.from_arrays(X, y, {"inst": inst}, names=names)
        return asp_eval.lmm_from_moments(moments).tidy(method=asp_eval.KenwardRoger())

    return run, _arm


def asp_moments(folder: Path) -> Prepared:
    import asp_eval

    X, y, inst, names = _arrays(folder)
    return lambda: asp_eval.Moments.from_arrays(X, y, {"inst": inst}, names=names), lambda _: float("nan")


def asp_after_moments(folder: Path) -> Prepared:
    import asp_eval

    X, y, inst, names = _arrays(folder)
    moments = asp_eval.Moments.from_arrays(X, y, {"inst": inst}, names=names)
    return lambda: asp_eval.lmm_from_moments(moments).tidy(method=asp_eval.KenwardRoger()), _arm


def asp_kr(folder: Path) -> Prepared:
    import asp_eval

    fit = asp_eval.lmm(FORMULA, read_frame(folder))
    return lambda: fit.tidy(method=asp_eval.KenwardRoger()), _arm


def asp_cr2(folder: Path) -> Prepared:
    import asp_eval

    fit = asp_eval.lmm(FORMULA, read_frame(folder))
    return lambda: fit.tidy(method=asp_eval.CR2()), _arm


def asp_ols_cr2(folder: Path) -> Prepared:
    import asp_eval

    frame, formula = read_frame(folder), FORMULA.split(" + (")[0]
    return lambda: asp_eval.ols(formula, frame, cluster="inst").tidy(method=asp_eval.CR2()), _arm


def asp_growth(folder: Path) -> Prepared:
    import asp_eval

    frame = read_frame(folder)
    return lambda: asp_eval.lmm(GROWTH, frame), lambda fit: _slope(fit.tidy(method=asp_eval.Normal()))


def asp_growth_kr(folder: Path) -> Prepared:
    import asp_eval

    fit = asp_eval.lmm(GROWTH, read_frame(folder))
    return lambda: fit.tidy(method=asp_eval.KenwardRoger()), _slope


def asp_growth_cr2(folder: Path) -> Prepared:
    import asp_eval

    fit = asp_eval.lmm(GROWTH, read_frame(folder))
    return lambda: fit.tidy(method=asp_eval.CR2()), _slope


def asp_crossed(folder: Path, *, reml: bool = True) -> Prepared:
    import asp_eval

    frame = _codes(folder)
    return lambda: asp_eval.lmm(CROSSED, frame, reml=reml), lambda fit: float(fit.bse["x"])


def asp_crossed_ml(folder: Path) -> Prepared:
    return asp_crossed(folder, reml=False)


def mixedlm_crossed(folder: Path, *, reml: bool = True) -> Prepared:
    import mixedlm

    frame = _codes(folder)
    return lambda: mixedlm.lmer(CROSSED, frame, REML=reml), lambda fit: float(np.sqrt(np.asarray(fit.vcov())[1, 1]))


def mixedlm_crossed_ml(folder: Path) -> Prepared:
    return mixedlm_crossed(folder, reml=False)


def asp_classes(folder: Path) -> Prepared:
    import asp_eval

    frame = _codes(folder)
    return lambda: asp_eval.lmm(CLASSES, frame), lambda fit: float(fit.tidy(asp_eval.Normal())["std_error"].iloc[-1])


def mixedlm_classes(folder: Path) -> Prepared:
    import mixedlm

    frame = _codes(folder)
    frame["at"] = frame["arm"] * frame["t"]
    formula = CLASSES.replace("arm * t", "arm + t + at")
    return lambda: mixedlm.lmer(formula, frame), lambda fit: float(np.sqrt(np.asarray(fit.vcov())[3, 3]))


def asp_classes_cr2(folder: Path) -> Prepared:
    import asp_eval

    fit = asp_eval.lmm(CLASSES, _codes(folder))
    return lambda: fit.tidy(method=asp_eval.CR2()), lambda table: float(table["std_error"].iloc[-1])


def asp_classes_draws(folder: Path) -> Prepared:
    import asp_eval

    fit = asp_eval.lmm(CLASSES, _codes(folder))
    return lambda: fit.bootstrap(100, seed=1), lambda _: float("nan")


def asp_classes_profile(folder: Path) -> Prepared:
    import asp_eval

    fit = asp_eval.lmm(CLASSES, _codes(folder))
    return fit.variance_intervals, lambda _: float("nan")


def lme_python_fit(folder: Path) -> Prepared:
    """lme-python 0.2.7, the fit alone."""
    import lme_python
    import polars

    frame = polars.from_pandas(_numbers(folder))
    return lambda: lme_python.lmer(FORMULA, frame, True), lambda fit: float(fit.std_errors[1])


def lme_python_pandas(folder: Path) -> Prepared:
    """lme-python 0.2.7, the fit alone, of a pandas frame."""
    import lme_python
    import polars

    frame = _numbers(folder)
    return lambda: lme_python.lmer(FORMULA, polars.from_pandas(frame), True), lambda fit: float(fit.std_errors[1])


def mixedlm_fit(folder: Path) -> Prepared:
    import mixedlm

    frame = _numbers(folder)
    return lambda: mixedlm.lmer(FORMULA, frame), lambda fit: float(np.sqrt(np.asarray(fit.vcov())[1, 1]))


def asp_permutation(folder: Path, *, interval: bool = False) -> Prepared:
    fit, method = _permuted(folder, interval=interval)
    return lambda: fit.contrast(ARM, method), lambda row: row.std_error


def asp_permutation_interval(folder: Path) -> Prepared:
    return asp_permutation(folder, interval=True)


def asp_permutation_ten(folder: Path) -> Prepared:
    from resampling import ten_outcomes

    frame, (_, method) = read_frame(folder), _permuted(folder, interval=False)
    return lambda: ten_outcomes(frame, method), lambda _: float("nan")


def asp_demo(folder: Path) -> Prepared:
    """The whole demo, each time in a folder of its own; what it loads is counted, too."""

    def run() -> None:
        import asp_eval

        with tempfile.TemporaryDirectory(dir=folder) as name:
            asp_eval.demo(Path(name) / "study", seed=7)

    return run, lambda _: float("nan")


def _permuted(folder: Path, *, interval: bool) -> tuple[Any, Any]:
    """Return a fit and the permutation of its lot, drawn within municipalities."""
    from resampling import DRAWS, stratified

    import asp_eval

    allocations = asp_eval.Allocations(tuple(str(k) for k in range(60)), stratified(folder, DRAWS))
    return asp_eval.lmm(FORMULA, read_frame(folder)), asp_eval.Permutation("arm", allocations, interval=interval)


def statsmodels_powell(folder: Path) -> Prepared:
    import statsmodels.formula.api as smf

    frame = read_frame(folder)
    fixed = FORMULA.split(" + (")[0]
    return (
        lambda: smf.mixedlm(fixed, frame, groups="inst").fit(reml=True, method="powell"),
        lambda fit: float(fit.bse["arm[T.intervention]"]),
    )


def gpboost_ml(folder: Path) -> Prepared:
    import gpboost

    X, y, inst, _ = _arrays(folder)

    def run() -> object:
        model = gpboost.GPModel(group_data=inst, likelihood="gaussian")
        model.fit(y=y, X=X)
        return model

    return run, lambda model: float(np.asarray(model.get_coef(std_err=True))[1, 1])


def mixedlm_kr(folder: Path) -> Prepared:
    """mixedlm 1.3.0: its "Kenward-Roger" degrees of freedom are its Satterthwaite's, and its standard errors the model's."""
    import mixedlm

    frame = _numbers(folder)

    def run() -> object:
        fit = mixedlm.lmer(FORMULA, frame)
        return fit, mixedlm.pvalues_with_ddf(fit, method="Kenward-Roger"), mixedlm.kenward_roger_df(fit)

    return run, lambda found: (found[1]["arm"][0] / found[1]["arm"][1], float(found[2].df[1]))


def lme_python_kr(folder: Path) -> Prepared:
    """lme-python 0.2.7: Kenward and Roger's degrees of freedom, with the model's standard errors; n by n matrices."""
    import lme_python
    import polars

    frame = polars.from_pandas(_numbers(folder))

    def run() -> object:
        fit = lme_python.lmer(FORMULA, frame, True)
        fit.with_kenward_roger(frame)
        return fit

    return run, lambda fit: (float(fit.std_errors[1]), float(fit.kenward_roger_dfs[1]))


def interlace_kr(folder: Path) -> Prepared:
    """interlace-lme 0.3.2: fit with ``df_method="kenward-roger"``; the standard errors are the model's."""
    import interlace

    frame = _numbers(folder)
    fixed = FORMULA.split(" + (")[0]
    return (
        lambda: interlace.fit(fixed, frame, groups="inst", df_method="kenward-roger"),
        lambda fit: (float(fit.bse["arm"]), float(fit.fe_df["arm"])),
    )


def kamino_kr(folder: Path) -> Prepared:
    """kamino-lme 0.0.1: Kenward and Roger's test and adjusted standard errors; refuses some thousand rows (dense matrices)."""
    import kamino

    frame = _numbers(folder)

    def run() -> object:
        return kamino.kenward_roger(kamino.lmer(FORMULA, frame))

    def read(found: object) -> tuple[float, float]:
        return float(np.sqrt(found.adjusted_covariance[1, 1])), float(found.test(np.eye(6)[1]).denominator_df)

    return run, read


def reading(folder: Path) -> Prepared:
    columns = list(read_columns(folder).values())
    return lambda: [float(c.sum()) for c in columns], lambda _: float("nan")


def _arrays(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
    columns = read_columns(folder)
    X = np.column_stack([np.ones(len(columns["y"])), *(columns[c] for c in FIXED)])
    return X, columns["y"], columns["inst"].astype(int), ["Intercept", *FIXED]


def _numbers(folder: Path) -> object:
    """Return the data with arms and municipalities as 0 and 1, so that all programs name the effect alike."""
    frame = read_frame(folder)
    return frame.assign(
        arm=frame["arm"].cat.codes.astype(float), muni=frame["muni"].cat.codes.astype(float), inst=frame["inst"].astype(str)
    )


def _codes(folder: Path) -> pd.DataFrame:
    """Return the data with every group as a whole number."""
    frame = pd.DataFrame(read_columns(folder))
    return frame.astype({c: int for c in ("a", "b", "inst", "cls", "child") if c in frame})


def _arm(table: object) -> tuple[float, float]:
    row = table.set_index("term").filter(like="arm", axis=0).iloc[0]
    return float(row["std_error"]), float(row["df"])


def _slope(table: object) -> float:
    return float(table.set_index("term")["std_error"].filter(regex="arm.*:t").iloc[0])


def _peak_memory(run: Callable[[], object]) -> float:
    """Return the most memory that one more run held at a time above its data, in MB: every array is counted."""
    gc.collect()
    tracemalloc.start()
    run()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 2**20


def main() -> None:
    task, folder, repetitions = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    warnings.simplefilter("ignore")
    run, read = globals()[task](folder)
    small = repetitions > 1
    result = run() if small else None  # the first call imports and compiles; a task of one repetition takes it as it is
    gc.collect()
    cpu, wall = [], []
    for _ in range(repetitions):
        start, clock = time.process_time(), time.perf_counter()
        result = run()
        cpu.append(time.process_time() - start)
        wall.append(time.perf_counter() - clock)
    extra = _peak_memory(run) if task.startswith("asp") and task != "asp_demo" else None
    answer = read(result)
    value, df = answer if isinstance(answer, tuple) else (answer, float("nan"))
    print(json.dumps({"cpu": cpu, "wall": wall, "extra_mb": extra, "value": value, "df": df}))


if __name__ == "__main__":
    main()
