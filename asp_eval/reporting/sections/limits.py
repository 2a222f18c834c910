"""The limits a reader should know."""

from __future__ import annotations

from asp_eval.analysis.results import Results
from asp_eval.reporting.blocks import Section, listing
from asp_eval.reporting.setting import Setting


def limits(results: Results, setting: Setting) -> Section:
    """Return the limits a reader should know."""
    return Section("limits", setting.say("Limits"), (listing(limit_words(results, setting)),))


def limit_words(results: Results, setting: Setting) -> tuple[str, ...]:
    """Return the limits, a few sentences."""
    say = setting.say
    sentences = _raters(setting)
    if setting.study.randomisation.drawn_elsewhere:
        sentences.append(say("Whether the lot was concealed until institutions had agreed to take part is not known here."))
    like_these = say(
        "The result holds for institutions and children like these. Institutions that agree to take part in a trial are not any "
        "institutions.",
    )
    sentences.append(like_these)
    if any(switch.switched and switch.family.startswith("sdq") for switch in results.switches):
        two_forms = say(
            "Some children changed form between the rounds because they grew older. The two forms differ in two items, both in "
            "the conduct scale; that scale and the total score are the ones affected.",
        )
        sentences.append(two_forms)
    return tuple(sentences)


def _raters(setting: Setting) -> list[str]:
    """Return what follows from who rated the children."""
    say, sentences = setting.say, []
    if setting.rated_by_staff:
        new_eyes = say(
            "The raters are staff of the institutions. Those of the compared arm may have taken part in the intervention "
            "themselves; a new way of looking at children can change a rating without a change in the child, in either "
            "direction.",
        )
        changes = say("Raters may have changed between the rounds, which adds noise to each child's change.")
        sentences += [new_eyes, changes]
    if "parent" in setting.results.informants:
        sentences.append(say("Parents rated the children. Whether they knew the arm of the institution is not known here."))
    if not setting.results.informants:
        unknown = say(
            "Who rated the children is not recorded here. Raters who know the arm may see a difference that is not in the child.",
        )
        sentences.append(unknown)
    return sentences
