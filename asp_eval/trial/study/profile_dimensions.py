"""The dimensions of a study's GAP-profile: the scales that the form of the staff and that of the children share."""

from __future__ import annotations

from asp_eval.trial.instruments.definition import Instrument
from asp_eval.trial.instruments.parts import Scale
from asp_eval.trial.study.design import Study


def shared_scales(staff: Instrument, child: Instrument) -> tuple[tuple[Scale, Scale], ...]:
    """Return the scales that both instruments have and that a profile can show, staff's beside the children's, in staff's order.

    A profile shows scales from 0 to 100 with high being good.

    Examples
    --------
    >>> from asp_eval.trial.instruments.library import instrument
    >>> pairs = shared_scales(instrument("gap-competences-staff"), instrument("gap-competences-child"))
    >>> len(pairs), pairs[0][0].key
    (9, 'self_worth')
    """
    theirs = {scale.key: scale for scale in child.scales if _is_profile_scale(scale)}
    return tuple((scale, theirs[scale.key]) for scale in staff.scales if _is_profile_scale(scale) and scale.key in theirs)


def dimension_names(study: Study) -> dict[str, dict[str, str]]:
    """Return what each dimension of a study's GAP-profile is called, by its key and language; none without a profile."""
    if study.gap is None:
        return {}
    staff, child = study.library.instrument(study.gap.staff), study.library.instrument(study.gap.child)
    return {scale.key: {**scale.title} for scale, _ in shared_scales(staff, child)}


def _is_profile_scale(scale: Scale) -> bool:
    return (scale.range.from_, scale.range.to, scale.better) == (0, 100, "higher")
