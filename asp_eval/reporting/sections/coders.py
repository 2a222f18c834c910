"""How the coders of interviews agreed: code by code, and over all codes of a frame."""

from __future__ import annotations

from collections.abc import Sequence

from asp_eval.analysis.process.results import CodeAgreement, FrameFindings
from asp_eval.core.errors import Unavailable
from asp_eval.reporting.blocks import Cell, Column, Row, Section, Table, cell, group_row, paragraphs
from asp_eval.reporting.sections.process_words import of_frame
from asp_eval.reporting.setting import Setting
from asp_eval.stats.meta.agreement import Agreement
from asp_eval.stats.meta.agreement_over_codes import AgreementOverCodes
from asp_eval.trial.process.frame import Frame


def coders(found: FrameFindings, setting: Setting) -> Section | None:
    """Return the agreement of the coders, code by code and over all codes."""
    say, show, frame = setting.say, setting.show, found.frame
    agreed = [each for each in found.agreement if each.coefficients]
    if not agreed:
        return None
    columns = (
        Column(say("Code"), numeric=False),
        Column(say("Interviews")),
        Column(say("Alike")),
        Column(say("Krippendorff's alpha")),
        Column(say("Gwet's coefficient")),
    )
    rows = [
        Row(
            (
                cell(say.label(frame.code(each.code).title, each.code)),
                cell(show.integer(_of_all(each, "percent").units)),
                cell(_percent(_of_all(each, "percent").estimate, setting)),
                _coefficient(_alpha(each, frame), setting),
                _coefficient(_of_all(each, "gwet"), setting),
            )
        )
        for each in agreed
    ]
    notes = [
        say(
            "Interviews coded by two coders or more. {level} intervals: institutions resampled, as two rounds of one are not "
            "independent.",
            level=setting.level,
        ),
        say("Ordered codes: alpha for ordered codes, and Gwet's coefficient with part credit for near misses (AC2, squared)."),
    ]
    words = [
        say(
            "Two coders or more coded {twice} of {n} interviews; {share} were planned.",
            twice=show.integer(sum(each.coded_twice for each in found.interviews)),
            n=show.integer(sum(each.interviewed for each in found.interviews)),
            share=show.percent(found.double_coded),
        )
    ]
    if found.agreement_over_codes:
        rows += _over_codes(found, len(columns), setting)
        notes.append(_which_codes(found.agreement_over_codes, setting))
        words += _pooled(found.agreement_over_codes, setting)
    table = Table(f"{frame.id}-agreement", say("Agreement of the coders"), columns, tuple(rows), tuple(notes))
    title = of_frame(say("How the coders agreed"), frame, setting)
    return Section(f"{frame.id}-coders", title, (paragraphs(*words), table))


def _over_codes(found: FrameFindings, width: int, setting: Setting) -> list[Row]:
    """Return the lines of the frame as a whole: the mean over its codes, the lowest and the highest of them."""
    say, show, frame = setting.say, setting.show, found.frame
    over = {each.statistic: each for each in found.agreement_over_codes}
    alike, others = over["percent_mean"], (over["krippendorff_mean"], over["gwet_mean"])

    def named(number: str, code: str) -> Cell:
        return cell(number, say.label(frame.code(code).title, code)) if code else cell(number)

    means = [cell(show.decimal(each.estimate), show.interval(each.conf_low, each.conf_high)) for each in others]
    lowest = [named(show.decimal(each.lowest), each.lowest_code) for each in others]
    highest = [named(show.decimal(each.highest), each.highest_code) for each in others]
    nothing = cell(show.integer(None))
    return [
        group_row(say("All codes of the frame"), width),
        Row((cell(say("Mean over the codes")), nothing, cell(_percent(alike.estimate, setting)), *means)),
        Row((cell(say("Lowest")), nothing, named(_percent(alike.lowest, setting), alike.lowest_code), *lowest)),
        Row((cell(say("Highest")), nothing, named(_percent(alike.highest, setting), alike.highest_code), *highest)),
    ]


def _which_codes(over: Sequence[AgreementOverCodes], setting: Setting) -> str:
    """Say of how many codes the means are, and what a mean hides."""
    say, show = setting.say, setting.show
    alpha = next(each for each in over if each.statistic == "krippendorff_mean")
    counted = say(
        "The means are of the codes' own coefficients; alpha is defined for {n} of the {total} codes compared.",
        n=show.integer(alpha.codes),
        total=show.integer(alpha.codes + alpha.undefined),
    )
    return " ".join((counted, say("A mean hides codes on which coders agree little: see the lowest.")))


def _pooled(over: Sequence[AgreementOverCodes], setting: Setting) -> list[str]:
    """Say Cohen's kappa pooled over the codes, of each pair of coders."""
    say, show = setting.say, setting.show
    pairs = [each for each in over if each.statistic == "cohen_pooled" and each.estimate is not None]
    if not pairs:
        return []
    numbers = "; ".join(show.beside(show.decimal(one.estimate), show.interval(one.conf_low, one.conf_high)) for one in pairs)
    if len(pairs) == 1:
        return [
            say(
                "Cohen's kappa pooled over the codes (De Vries and others 2008; weighted for ordered codes): {number}.",
                number=numbers,
            )
        ]
    return [
        say(
            "Cohen's kappa pooled over the codes (De Vries and others 2008; weighted for ordered codes), of each two coders: "
            "{numbers}.",
            numbers=numbers,
        )
    ]


def _of_all(agreement: CodeAgreement, statistic: str) -> Agreement:
    """Return a coefficient, of all coders together where it is given for each two as well: that one stands behind them."""
    return [each for each in agreement.coefficients if each.statistic == statistic][-1]


def _alpha(agreement: CodeAgreement, frame: Frame) -> Agreement:
    return _of_all(agreement, "krippendorff_ordinal" if frame.is_ordinal(agreement.code) else "krippendorff_nominal")


def _percent(share: float | None, setting: Setting) -> str:
    return setting.show.integer(None) if share is None else setting.show.percent(share)


def _coefficient(found: Agreement, setting: Setting) -> Cell:
    show = setting.show
    if found.estimate is None:
        return cell(show.reason(Unavailable(found.note)))
    return cell(show.decimal(found.estimate), show.interval(found.conf_low, found.conf_high))
