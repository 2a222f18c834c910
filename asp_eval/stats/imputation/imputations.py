"""Imputed data sets: one value drawn for every missing one, n times."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from asp_eval.core.errors import Fault
from asp_eval.core.phrases import Phrase
from asp_eval.stats.design.tables import as_frame
from asp_eval.stats.imputation.analyses import Analyses
from asp_eval.stats.imputation.draws import Draws
from asp_eval.stats.imputation.pooling import ONE_IMPUTATION
from asp_eval.stats.imputation.reading import ImputationPlan
from asp_eval.stats.imputation.reference_based import Kind, reference_values

NOT_IMPUTED = Fault("IMP-030", "{name} was not imputed", "Name one of the variables imputed: {known}.")
NOT_DRAWN_HERE = Fault(
    "IMP-031",
    "which values of these data sets were imputed, and from what model, is not known: they were made elsewhere",
    "Impute with asp_eval.impute, or shift the values before you hand the data sets in.",
)
NOT_SHIFTED = Fault(
    "IMP-032",
    "{name} is not continuous, and its values cannot be shifted",
    "Impute the score that it was made of, and shift that.",
)
UNKNOWN_ARM = Fault("IMP-033", "no arm is called {arm}", "Use one of: {known}.")
NOT_NEW = Fault("IMP-035", "there is a column {name} already", "Give what is computed from the imputed values a name of its own.")
OTHER_FRAMES = Fault(
    "IMP-034", "imputation {n} has other rows or columns than the first", "Hand in data sets that differ in imputed values only."
)
NOTHING_MISSING = Phrase("nothing was missing: the answer is that of the data as they are")
Cells = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class ImputedVariable:
    """What was put in for one variable.

    Attributes
    ----------
    name, scale : str
    of_groups : bool
    rows : ndarray of bool (rows of the frame,)
        Where a value was put in.
    drawn : ndarray (n, rows filled)
    """

    name: str
    scale: str
    of_groups: bool
    rows: Cells
    drawn: npt.NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Imputations:
    """n completed data sets; make them with `impute`, or hand in others' with `Imputations.from_frames`.

    ``len()`` is their number, ``imputed[k]`` the k-th as a frame, and iterating gives one after the other.

    Attributes
    ----------
    original : DataFrame or None
        The data as they were; None if the data sets were made elsewhere.
    variables : tuple of ImputedVariable
    draws : Draws or None
        Of the model they come from.
    plan : ImputationPlan or None
    frames : tuple of DataFrame
        Only of data sets that were made elsewhere.
    notes : tuple of Phrase
        What a reader of any result must know.
    """

    original: pd.DataFrame | None
    variables: tuple[ImputedVariable, ...]
    draws: Draws | None
    plan: ImputationPlan | None
    frames: tuple[pd.DataFrame, ...] = ()
    notes: tuple[Phrase, ...] = ()

    @classmethod
    def from_frames(cls, frames: Sequence[pd.DataFrame]) -> Imputations:
        """Return data sets that were imputed elsewhere: by mice, jomo, Stata or anything else.

        Parameters
        ----------
        frames : sequence of DataFrame
            One for each imputation, with the same rows and columns.

        Raises
        ------
        Refusal
            If there is only one, or they differ in rows or columns.

        Examples
        --------
        >>> frames = [pd.DataFrame({"y": [1.0, 2.0, 4.0, 4.0 + k], "x": [0.0, 1.0, 2.0, 3.0]}) for k in (0.0, 0.5, 1.0)]
        >>> len(Imputations.from_frames(frames))
        3
        """
        given = tuple(as_frame(frame) for frame in frames)
        if len(given) < 2:
            ONE_IMPUTATION.refuse(found=Phrase("{n} imputation", n=len(given)))
        for k, frame in enumerate(given[1:], 2):
            if list(frame.columns) != list(given[0].columns) or len(frame) != len(given[0]):
                OTHER_FRAMES.refuse(found=f"{frame.shape}", expected=f"{given[0].shape}", n=k)
        return cls(None, (), None, None, given)

    def __len__(self) -> int:
        return len(self.frames) or (0 if self.draws is None else len(self.draws.draws))

    def __iter__(self) -> Iterator[pd.DataFrame]:
        return (self[k] for k in range(len(self)))

    def __getitem__(self, k: int) -> pd.DataFrame:
        if not -len(self) <= k < len(self):
            raise IndexError(k)
        if self.original is None:
            return self.frames[k]
        return self.original.assign(**{v.name: _filled(self.original[v.name], v, k) for v in self.variables if v.rows.any()})

    @property
    def n_imputed(self) -> int:
        """Missing values that were filled in, in each data set."""
        return sum(int(v.rows.sum()) for v in self.variables)

    def summary(self) -> pd.DataFrame:
        """Return one row for each variable: variable, scale, level, observed, imputed, share."""
        rows = []
        for v in self.variables:
            n = int(v.rows.sum())
            level = "groups" if v.of_groups else "rows"
            rows.append((v.name, v.scale, level, len(v.rows) - n, n, n / len(v.rows)))
        return pd.DataFrame(rows, columns=["variable", "scale", "level", "observed", "imputed", "share"])

    def convergence(self) -> pd.DataFrame:
        """Return how far the chains agree: quantity, variable, rhat, effective_draws.

        One row for each coefficient and variance that is monitored.
        """
        if self.draws is None:
            NOT_DRAWN_HERE.refuse()
        return self.draws.convergence

    def fit(self, model: Callable[[pd.DataFrame], Any]) -> Analyses:
        """Fit a model to every data set.

        Parameters
        ----------
        model : callable
            From a data set to a fit: of this package, of statsmodels, or a table with term, estimate, std_error and, if it
            has them, df.

        Examples
        --------
        >>> frames = [pd.DataFrame({"y": [1.0, 2.0, 4.0, 4.0 + k], "x": [0.0, 1.0, 2.0, 3.0]}) for k in (0.0, 0.5, 1.0)]
        >>> from asp_eval import ols
        >>> analyses = Imputations.from_frames(frames).fit(lambda frame: ols("y ~ x", frame))
        >>> analyses.pool()[["term", "estimate", "riv"]].round(2).values.tolist()
        [['Intercept', 1.0, 0.09], ['x', 1.25, 0.71]]
        """
        if self.original is not None and not self.n_imputed:
            return Analyses((model(self.original),), len(self), (*self.notes, NOTHING_MISSING))
        return Analyses(tuple(model(frame) for frame in self), len(self), self.notes)

    def shift(self, variable: str, by: float | Mapping[object, float], where: pd.Series | Cells | None = None) -> Imputations:
        """Return the data sets with the imputed values of a variable moved: a sensitivity analysis by delta adjustment.

        Parameters
        ----------
        variable : str
            A continuous one.
        by : float or mapping of arm to float
            How much is added to imputed values, of everyone or by arm, in the variable's units.
        where : Series or ndarray of bool, optional
            Rows it is restricted to: a pattern of missing values.

        Raises
        ------
        Refusal
            If the variable was not imputed or is not continuous, or an arm is unknown.

        References
        ----------
        Carpenter & Kenward (2013), ch. 10; Cro, Morris, Kenward & Carpenter (2020), Stat Med 39:2815.
        """
        own = self._variable(variable)
        if own.scale != "continuous":
            NOT_SHIFTED.refuse(name=variable)
        amount = np.zeros(len(own.rows))
        for arm, delta in by.items() if isinstance(by, Mapping) else [(None, by)]:
            amount[slice(None) if arm is None else self._rows_of(arm)] += float(delta)
        if where is not None:
            amount = np.where(np.asarray(where, bool), amount, 0.0)
        return self._with(replace(own, drawn=own.drawn + amount[own.rows]))

    def derive(self, name: str, compute: Callable[[pd.DataFrame], pd.Series], known: pd.Series | None = None) -> Imputations:
        """Return the data sets with a column computed from each of them, such as a scale from its items.

        Parameters
        ----------
        name : str
            Of the new column.
        compute : callable
            From a data set to numbers, row by row; missing where what it needs is missing.
        known : Series, optional
            Values that stand, whatever is computed; rows without one are computed. Without it, everything is computed.

        Returns
        -------
        Imputations
            In which the new column counts as imputed where it is missing in the original data, and can be shifted.

        Raises
        ------
        Refusal
            If the data sets were made elsewhere, or have such a column.

        Examples
        --------
        >>> import numpy as np
        >>> from asp_eval import impute
        >>> rng = np.random.default_rng(1)
        >>> frame = pd.DataFrame({"inst": np.repeat(np.arange(10), 20), "a": rng.normal(size=200), "b": rng.normal(size=200)})
        >>> frame.loc[:29, "b"] = np.nan
        >>> imputed = impute(frame, {"a": "continuous", "b": "continuous"}, group="inst", n=2, seed=1)
        >>> summed = imputed.derive("total", lambda data: data["a"] + data["b"])
        >>> bool((summed[1]["total"] == summed[1]["a"] + summed[1]["b"]).all()), int(summed.summary()["imputed"].iloc[-1])
        (True, 30)
        """
        if self.original is None:
            return NOT_DRAWN_HERE.refuse()
        if name in self.original:
            NOT_NEW.refuse(name=name)
        own = compute(self.original) if known is None else known
        rows = np.asarray(own.isna(), bool)
        drawn = np.array([np.asarray(compute(data), float)[rows] for data in self])
        column = ImputedVariable(name, "continuous", False, rows, drawn)
        return replace(self, original=self.original.assign(**{name: own.astype(float)}), variables=(*self.variables, column))

    def reference_based(self, visits: Sequence[str | Sequence[str]], kind: Kind, reference: object) -> Imputations:
        """Return the data sets as if those who dropped out had gone on like the reference arm.

        A child that has no value at some visit nor at any later one has dropped out there. Its missing values at those visits
        are drawn with the mean of the reference arm; its institution's effect is kept, and so is what its own earlier values
        say of it. Under ``"jump"`` the earlier values count from the mean of its own arm, under ``"copy"`` from that of the
        reference arm. Values that are missing between others stay as they were.

        Pooled by Rubin's rules, the standard error is that of information-anchored sensitivity analysis.

        Parameters
        ----------
        visits : sequence of str, or of sequences of str
            The variable at each visit, or its variables (the items of a scale), in the order of the visits; those that are not
            imputed are what is known from the start. A visit of several variables is missing where all of them are.
        kind : {"jump", "copy"}
        reference : label of an arm

        Raises
        ------
        Refusal
            If a visit was imputed on another scale than continuous, the arm is unknown, or each arm has a covariance of its own.

        References
        ----------
        Carpenter, Roger & Kenward (2013), J Biopharm Stat 23:1352; Cro, Carpenter & Kenward (2019), J R Stat Soc A 182:623.
        R: ``rbmi``.
        """
        if self.draws is None or self.plan is None:
            return NOT_DRAWN_HERE.refuse()
        self._rows_of(reference)
        names = {v.name for v in self.variables}
        out = self
        every = [[visit] if isinstance(visit, str) else list(visit) for visit in visits]
        asked = [kept for visit in every if (kept := [name for name in visit if name in names])]
        for name, values in reference_values(self.plan, self.draws, asked, kind, reference).items():
            own = self._variable(name)
            out = out._with(replace(own, drawn=own.drawn + values[:, own.rows]))
        return out

    def _variable(self, name: str) -> ImputedVariable:
        if self.original is None:
            NOT_DRAWN_HERE.refuse()
        for own in self.variables:
            if own.name == name:
                return own
        return NOT_IMPUTED.refuse(name=name, known=", ".join(v.name for v in self.variables))

    def _rows_of(self, arm: object) -> Cells:
        """Return the rows of an arm."""
        plan = self.plan
        known = [] if plan is None or plan.arms is None else list(plan.arms.levels)
        if plan is None or plan.arms is None or arm not in known:
            return UNKNOWN_ARM.refuse(arm=arm, known=", ".join(map(str, known)) or Phrase("none"))
        return np.asarray(plan.arms.codes[plan.group.codes] == known.index(arm))

    def _with(self, changed: ImputedVariable) -> Imputations:
        return replace(self, variables=tuple(changed if v.name == changed.name else v for v in self.variables))

    def __repr__(self) -> str:
        if self.original is None:
            return f"{len(self)} imputed data sets, made elsewhere"
        lines = [f"{len(self)} imputed data sets of {len(self.original)} rows"]
        for v in self.variables:
            level = "groups" if v.of_groups else "rows"
            lines.append(f"  {v.name}: {int(v.rows.sum())} of {len(v.rows)} imputed, {v.scale}, {level}")
        if self.draws is not None:
            own, table = self.draws, self.draws.convergence
            lines.append(f"  {own.chains} chains, {own.first_sweeps} sweeps, then every {own.between}th")
            worst, least = float(table["rhat"].max()), float(table["effective_draws"].min())
            lines.append(f"  largest R-hat {worst:.3f}, fewest effective draws {least:.0f}")
            lines.append("  prior of the groups' covariance: standard deviations half-t(2), correlations uniform")
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)])


def _filled(column: pd.Series, v: ImputedVariable, k: int) -> pd.Series:
    """Return a column with the k-th values put in, in a type that holds them."""
    out = np.array(column.to_numpy(dtype=np.float64 if v.scale == "continuous" else object, na_value=np.nan))
    out[v.rows] = v.drawn[k]
    filled = pd.Series(out, index=column.index, name=column.name)
    return filled if v.scale == "continuous" else filled.astype(column.dtype)


def imputed_variables(plan: ImputationPlan, draws: Draws) -> tuple[ImputedVariable, ...]:
    """Return what the draws put in for each variable, in the frame's rows."""
    at = np.full(len(plan.frame), -1)
    at[draws.rows] = np.arange(len(draws.rows))
    out = []
    for variables, of_groups in ((plan.rows, False), (plan.groups, True)):
        first = 0
        for v in variables:
            columns = slice(first, first + v.n_columns)
            first += v.n_columns
            if of_groups:
                codes = plan.group.codes
                rows = plan.frame[v.name].isna().to_numpy()
                known = v.values_known()
                drawn = [np.where(v.missing, v.values(d.Z[:, columns]), known)[codes[rows]] for d in draws.draws]
            else:
                rows = v.missing
                drawn = [v.values(d.Y[at[rows], columns]) for d in draws.draws]
            out.append(ImputedVariable(v.name, v.scale, of_groups, rows, np.array(drawn)))
    return tuple(out)
