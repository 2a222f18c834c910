"""The two sides of a GAP-profile, from a study's tables: scores with their institution and rater, and names in words."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from asp_eval.core.errors import Fault
from asp_eval.store import table
from asp_eval.trial.instruments.definition import Instrument
from asp_eval.trial.instruments.parts import Item, Scale
from asp_eval.trial.study.design import Study
from asp_eval.trial.study.profile_dimensions import shared_scales
from asp_eval.trial.study.report_plan import GapPlan

Texts = dict[str, str]

NO_COMMON_DIMENSION = Fault(
    "GAP-011",
    "the two instruments of the GAP-profile share no dimension scored from 0 to 100 with high being good",
    "Name a pair that does, such as gap-competences-staff and gap-competences-child, under 'gap' in study.yaml.",
)


@dataclass(frozen=True, slots=True)
class DimensionLabel:
    """A competence dimension and its area, with their names in each language.

    Attributes
    ----------
    steps : (int, int)
        Steps of the grids on which staff's and children's scores lie.
    staff_questions, child_questions : tuple of dict
        What the two forms ask, in their own words; empty where the wording is not the package's to print.
    open_question : dict
        A question to talk about, as the staff's form has it; empty where it has none.
    """

    key: str
    label: Texts
    area: str
    area_label: Texts
    steps: tuple[int, int] = (12, 12)
    staff_questions: tuple[Texts, ...] = ()
    child_questions: tuple[Texts, ...] = ()
    open_question: Texts = field(default_factory=dict)


def dimension_labels(study: Study, plan: GapPlan) -> tuple[DimensionLabel, ...]:
    """Return the dimensions that both instruments have, in the staff instrument's order.

    A dimension's area is the composite it belongs to; one that belongs to none is its own area.

    Raises
    ------
    Refusal
        If there is none.
    """
    staff, child = study.library.instrument(plan.staff), study.library.instrument(plan.child)
    found = tuple(_label(staff, scale, child, theirs) for scale, theirs in shared_scales(staff, child))
    if not found:
        NO_COMMON_DIMENSION.refuse("study.yaml, gap", found=f"{plan.staff} and {plan.child}")
    return found


def staff_side(study: Study, plan: GapPlan, wave: str) -> pd.DataFrame:
    """Return staff's scores of their own competence at a wave: institution_id, respondent_id, dimension, score."""
    return _side(study, plan.staff, wave, "staff_survey", "respondent_id")


def child_side(study: Study, plan: GapPlan, wave: str) -> pd.DataFrame:
    """Return the children's scores at a wave: institution_id (where the child was), child_id, rater_id, dimension, score."""
    return _side(study, plan.child, wave, "screening", "child_id")


def institution_names(study: Study) -> dict[str, str]:
    """Return the names of institutions, as far as they have one."""
    institutions = table(study, "institutions")
    if "name" not in institutions.columns:
        return {}
    named = institutions[institutions["name"].notna()]
    return dict(zip(named["institution_id"].astype(str), named["name"].astype(str), strict=True))


def municipality_of_institutions(study: Study) -> dict[str, str]:
    """Return the municipality of every institution that has one."""
    institutions = table(study, "institutions")
    if "municipality" not in institutions.columns:
        return {}
    placed = institutions[institutions["municipality"].notna()]
    return dict(zip(placed["institution_id"].astype(str), placed["municipality"].astype(str), strict=True))


def response_counts(study: Study, staff: pd.DataFrame, children: pd.DataFrame, wave: str) -> pd.DataFrame:
    """Return, by institution, how many staff are listed and have scores, and how many children were seen at a wave and have."""
    listed, seen = table(study, "staff"), table(study, "screening", {"wave": [wave]})
    return pd.DataFrame(
        {
            "staff_asked": listed.groupby(listed["institution_id"].astype(str))["staff_id"].nunique(),
            "staff_answered": _people(staff, "respondent_id"),
            "children_seen": seen.groupby(seen["institution_id"].astype(str))["child_id"].nunique(),
            "children_rated": _people(children, "child_id"),
        }
    ).fillna(0)


def _people(side: pd.DataFrame, person: str) -> pd.Series:
    scored = side[side["score"].notna()]
    return scored.groupby(scored["institution_id"].astype(str))[person].nunique()


def arms_of_institutions(study: Study) -> dict[str, str]:
    """Return the arm of every institution that is drawn."""
    lots = table(study, "allocation")
    return dict(zip(lots["institution_id"].astype(str), lots["arm"].astype(str), strict=True))


def _side(study: Study, instrument_id: str, wave: str, source: str, person: str) -> pd.DataFrame:
    mine = table(study, "scores", {"instrument": [instrument_id], "wave": [wave]})
    mine = mine.rename(columns={"unit_id": person, "scale": "dimension"})[[person, "dimension", "score"]]
    visits = table(study, source, {"wave": [wave]})
    columns = [person, "institution_id", *(["rater_id"] if source == "screening" else [])]
    joined: pd.DataFrame = mine.merge(visits.reindex(columns=columns), on=person, how="left", validate="many_to_one")
    return joined


def _label(staff: Instrument, scale: Scale, child: Instrument, theirs: Scale) -> DimensionLabel:
    area = next((composite for composite in staff.composites if scale.key in composite.scales), None)
    title = {**scale.title}
    return DimensionLabel(
        scale.key,
        title,
        area.key if area else scale.key,
        {**area.title} if area else title,
        (_steps(staff, scale), _steps(child, theirs)),
        _questions(staff, scale),
        _questions(child, theirs),
        {**scale.open_question} if scale.open_question else {},
    )


def _steps(instrument: Instrument, scale: Scale) -> int:
    """Return the steps from the lowest to the highest sum of a scale's answers."""
    codes = [[answer.code for answer in instrument.response_sets[item.responses]] for item in _items(instrument, scale)]
    return sum(max(each) - min(each) for each in codes)


def _questions(instrument: Instrument, scale: Scale) -> tuple[Texts, ...]:
    """Return the texts of a scale's items."""
    return tuple({**item.text} for item in _items(instrument, scale) if item.text)


def _items(instrument: Instrument, scale: Scale) -> list[Item]:
    return [item for item in instrument.items if item.key in scale.items]
