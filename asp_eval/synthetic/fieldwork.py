"""The field work: what institutions, staff and children hand in under a given draw of the lot, in the package's own columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from asp_eval.core.errors import DataProblems, Fault, Place
from asp_eval.core.randomness import stream
from asp_eval.synthetic import population as pop
from asp_eval.synthetic.children import Flags, Values, draw_answered, draw_sdq
from asp_eval.synthetic.competences import CHILD, STAFF, Codes, draw_competences
from asp_eval.synthetic.excerpts import excerpt_sheet
from asp_eval.synthetic.goals import goal_sheet
from asp_eval.synthetic.interviews import interview_sheet
from asp_eval.synthetic.people import Children, Indices, People, draw_institutions, draw_people
from asp_eval.synthetic.programme import implementation_log, staff_list
from asp_eval.trial.instruments.definition import Instrument
from asp_eval.trial.instruments.library import choose_version, family, instrument
from asp_eval.trial.study.ages import age_years

SDQ = "sdq-teacher"
LEARNING = "organisational-learning"
LEARNING_BETWEEN = 0.45  # SD of houses, in answers
LEARNING_EFFECT = 0.15  # of the intervention, in answers
ARMS = ("reference", "intervention")

NO_ARM = Fault("SYN-001", "a synthetic institution has no arm", "Draw the lot over the institutions that were written first.")
OTHER_ARM = Fault("SYN-002", "the synthetic trial does not know this arm", "Use the demo's own study.yaml.")


@dataclass(frozen=True, slots=True, eq=False)
class Fieldwork:
    """Everything that was handed in.

    Attributes
    ----------
    screening : mapping of str to DataFrame
        Per wave one row per child on the list: child_id, institution_id (where the child is now), rater_id, date, sex,
        birth_month, mother_education, hours_per_week, rated (bool), and the items of both SDQ forms, and at the first wave of
        gap-competences, under their stored names, missing where not answered.
    staff_survey : DataFrame
        respondent_id, institution_id, date and the items, one row per answer.
    staff, implementation : DataFrame
        As `asp_eval.synthetic.programme` returns them.
    interviews : DataFrame
        As `asp_eval.synthetic.interviews` returns it.
    learning : DataFrame
        The staff survey on learning at the last wave: respondent_id, institution_id, date and the items.
    goals : DataFrame
        As `asp_eval.synthetic.goals` returns them.
    excerpts : DataFrame
        As `asp_eval.synthetic.excerpts` returns them.
    """

    screening: Mapping[str, pd.DataFrame]
    staff_survey: pd.DataFrame
    staff: pd.DataFrame
    implementation: pd.DataFrame
    interviews: pd.DataFrame
    learning: pd.DataFrame
    goals: pd.DataFrame
    excerpts: pd.DataFrame


def simulate_fieldwork(seed: int, allocation: pd.DataFrame) -> Fieldwork:
    """Let the trial come about under a draw of the lot.

    Parameters
    ----------
    seed : int
        The one with which the institutions were written.
    allocation : DataFrame
        institution_id and arm (``reference`` or ``intervention``), a row for each institution.

    Raises
    ------
    DataProblems
        SYN-001 for each institution without an arm, SYN-002 for an unknown arm.
    """
    people = draw_people(seed, draw_institutions(seed))
    in_arm = _treated(people, allocation)
    treated = in_arm[people.children.drawn]
    sdq = draw_sdq(seed, people)
    child, staff = draw_competences(seed, people, sdq.own)
    values = sdq.values(treated)
    rated = draw_rated(seed, people, treated)
    dates = _dates(seed, people)
    screening = {}
    for wave, plan in enumerate(pop.WAVES):
        frame = _background(seed, people, wave, dates[wave]).assign(rated=rated[wave])
        rng = stream(seed, "synthetic", "skipped", plan.id)
        answered = draw_answered(rng, (len(frame),), values.shape[0] * values.shape[3] + child.shape[2])
        sdq_answered, child_answered = np.split(answered & rated[wave][:, None], [answered.shape[1] - child.shape[2]], axis=1)
        items = _sdq_items(frame, values[:, wave], sdq_answered)
        if plan.id == pop.COMPETENCES.asked_at:
            items.append(_items(instrument(CHILD), child[wave], child_answered))
        whole = pd.concat([frame, *items], axis=1)[people.children.joined <= wave]
        screening[plan.id] = whole.sort_values(["institution_id", "child_id"], ignore_index=True)
    log = implementation_log(seed, people, in_arm)
    interviews = interview_sheet(seed, people, in_arm)
    return Fieldwork(
        screening,
        _staff_survey(seed, people, staff),
        staff_list(seed, people),
        log,
        interviews,
        _learning_survey(seed, people, in_arm),
        goal_sheet(seed, people, in_arm),
        excerpt_sheet(interviews),
    )


def draw_rated(seed: int, people: People, treated: Flags) -> Flags:
    """Draw who is rated at each wave, (3, children); one reference institution hands in nothing at the end."""
    rng = stream(seed, "synthetic", "absence")
    children = people.children
    older = children.months > 66
    rated = np.zeros((len(pop.WAVES), len(older)), dtype=bool)
    for wave, plan in enumerate(pop.WAVES):
        chance = plan.absent + plan.older_absent * older + plan.reference_absent * ~treated
        absent = rng.random(len(older)) < chance
        if wave == 2:
            absent |= ~rated[1] & (children.joined < 2) & (rng.random(len(older)) < pop.STAYS_AWAY)
            absent |= children.institution[wave] == _silent(rng, people, treated)
        rated[wave] = ~absent & (children.joined <= wave)
    return rated


def _silent(rng: np.random.Generator, people: People, treated: Flags) -> int:
    """The institution that hands in nothing at the end: one of average size or less in the reference arm."""
    reference = np.setdiff1d(people.children.drawn[~treated], people.children.drawn[treated])
    small = reference[people.institutions.sizes[reference] <= pop.CHILDREN_PER_INSTITUTION]
    pool = small if len(small) else np.arange(len(people.institutions.ids))
    return int(rng.choice(pool))


def _treated(people: People, allocation: pd.DataFrame) -> Flags:
    """Whether each institution is in the intervention arm, or every fault of the allocation."""
    arms = dict(zip(allocation["institution_id"].astype(str), allocation["arm"].astype(str), strict=True))
    place = Place("allocation", column="institution_id")
    problems = [NO_ARM.at(place, found=each) for each in people.institutions.ids if each not in arms]
    strange = sorted(set(arms.values()) - set(ARMS))
    problems += [OTHER_ARM.at(Place("allocation", column="arm"), found=arm, expected=" or ".join(ARMS)) for arm in strange]
    if problems:
        raise DataProblems(problems)
    return np.asarray([arms[each] == ARMS[1] for each in people.institutions.ids])


def _dates(seed: int, people: People) -> NDArray[np.datetime64]:
    """The working day on which each child is rated at each wave, (3, children): a rater rates within about a week."""
    rng = stream(seed, "synthetic", "dates")
    children = people.children
    days = []
    for wave, plan in enumerate(pop.WAVES):
        window = (plan.last - plan.first).days
        begins = rng.integers(0, window - 9, size=len(people.staff.ids))[children.rater[wave]]
        day = np.datetime64(plan.first, "D") + begins + rng.integers(0, 10, size=len(children.ids))
        days.append(np.busday_offset(day, 0, roll="backward"))
    return np.stack(days)


def _background(seed: int, people: People, wave: int, date: NDArray[np.datetime64]) -> pd.DataFrame:
    """What the forms say of child, institution and rater; one child's sex and some mothers' education are not known."""
    children = people.children
    rng = stream(seed, "synthetic", "background")
    sex = np.where(children.boy, "boy", "girl").astype(object)
    sex[rng.integers(0, len(sex) // 2)] = None
    education = np.asarray(pop.EDUCATION, dtype=object)[children.education]
    education[rng.random(len(education)) < pop.NO_EDUCATION] = None
    hours = np.clip(np.rint(2 * rng.normal(*pop.HOURS_PER_WEEK, size=len(sex))) / 2, 15, 48)
    return pd.DataFrame(
        {
            "child_id": pd.Series(children.ids, dtype="string"),
            "institution_id": _texts(people.institutions.ids, children.institution[wave]),
            "rater_id": _texts(people.staff.ids, children.rater[wave]),
            "date": pd.Series(date.astype("datetime64[s]")),
            "sex": pd.Series(sex, dtype="string"),
            "birth_month": pd.Series(_birth_months(children).astype(str), dtype="string"),
            "mother_education": pd.Series(education, dtype="string"),
            "hours_per_week": hours,
        }
    )


def _birth_months(children: Children) -> NDArray[np.datetime64]:
    return np.datetime64(pop.WAVES[0].middle, "M") - children.months


def _texts(ids: tuple[str, ...], positions: Indices) -> pd.Series[str]:
    return pd.Series(np.asarray(ids, dtype=object)[positions], dtype="string")


def _sdq_items(frame: pd.DataFrame, values: Values, answered: Flags) -> list[pd.DataFrame]:
    """The items of each form, (children, 25): every child has the form for its age when rated, values (scales, children, 5)."""
    version = choose_version(SDQ, age_years(frame["birth_month"], frame["date"])).fillna("").to_numpy(dtype=object)
    return [_items(form, _raw_codes(form, values), answered & (version == form.id)[:, None]) for form in family(SDQ)]


def _raw_codes(form: Instrument, values: Values) -> Codes:
    """Item values in the direction of their scales become the codes that are marked, (children, items)."""
    codes = np.empty((values.shape[1], len(form.items)), dtype=np.int8)
    columns = {item.key: column for column, item in enumerate(form.items)}
    for position, key in enumerate(pop.SCALE_KEYS):
        scale = next(scale for scale in form.scales if scale.key == key)
        for order, item_key in enumerate(scale.items):
            column = columns[item_key]
            value = values[position, :, order]
            codes[:, column] = 2 - value if form.items[column].reverse else value
    return codes


def _items(form: Instrument, codes: Codes, answered: Flags) -> pd.DataFrame:
    """Codes under their stored names, missing where not answered."""
    columns = enumerate(form.columns)
    return pd.DataFrame({name: pd.arrays.IntegerArray(codes[:, k].copy(), ~answered[:, k]) for k, name in columns})


def _staff_survey(seed: int, people: People, codes: Codes) -> pd.DataFrame:
    """The answers of those employed at the start who took part."""
    rng = stream(seed, "synthetic", "staff survey")
    staff, first = people.staff, pop.WAVES[0].first
    takes_part = staff.at_start & (rng.random(len(staff.ids)) < pop.STAFF_ANSWERED)
    day = np.busday_offset(np.datetime64(first, "D") + rng.integers(3, 45, size=len(staff.ids)), 0, roll="backward")
    frame = pd.DataFrame(
        {
            "respondent_id": pd.Series(staff.ids, dtype="string"),
            "institution_id": _texts(people.institutions.ids, staff.institution),
            "date": pd.Series(day.astype("datetime64[s]")),
        }
    )
    items = _items(instrument(STAFF), codes, draw_answered(rng, (len(frame),), codes.shape[1]))
    whole = pd.concat([frame, items], axis=1)
    return whole[takes_part].sort_values(["institution_id", "respondent_id"], ignore_index=True)


def _learning_survey(seed: int, people: People, treated: Flags) -> pd.DataFrame:
    """The answers to the questionnaire on learning at the end: houses differ, and the intervention's a little from the others."""
    rng = stream(seed, "synthetic", "learning survey")
    form = instrument(LEARNING)
    asked = np.unique(people.children.rater[-1])
    asked = asked[rng.random(len(asked)) < pop.STAFF_ANSWERED]
    house = people.staff.institution[asked]
    level = rng.normal(0, LEARNING_BETWEEN, size=(len(people.institutions.ids), len(form.scales)))
    level[treated] += LEARNING_EFFECT
    columns = {item.key: position for position, item in enumerate(form.items)}
    codes = np.zeros((len(asked), len(form.items)), dtype=np.int8)
    for position, scale in enumerate(form.scales):
        person = level[house, position] + rng.normal(0, 0.5, size=len(asked))
        for key in scale.items:
            item = form.item(key)
            ladder = np.asarray(form.codes(item))
            value = np.clip(np.rint(person + rng.normal(0, 0.6, size=len(asked)) + (len(ladder) - 1) / 2), 0, len(ladder) - 1)
            place = value.astype(int)
            codes[:, columns[key]] = ladder[len(ladder) - 1 - place] if item.reverse else ladder[place]
    day = np.busday_offset(np.datetime64(pop.WAVES[-1].first, "D") + rng.integers(3, 40, size=len(asked)), 0, roll="backward")
    frame = pd.DataFrame(
        {
            "respondent_id": _texts(people.staff.ids, asked),
            "institution_id": _texts(people.institutions.ids, house),
            "date": pd.Series(day.astype("datetime64[s]")),
        }
    )
    whole = pd.concat([frame, _items(form, codes, draw_answered(rng, (len(frame),), codes.shape[1]))], axis=1)
    return whole.sort_values(["institution_id", "respondent_id"], ignore_index=True)
