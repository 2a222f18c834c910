"""What the chapters on the process call things: types, levels of codes, rounds; and a count with the interval of its share."""

from __future__ import annotations

from asp_eval.analysis.process.results import Count
from asp_eval.reporting.blocks import Cell, cell
from asp_eval.reporting.setting import Setting
from asp_eval.trial.process.frame import Frame


def shown_count(count: Count, setting: Setting) -> Cell:
    """Return a count of a total, with the interval of its share below it."""
    show = setting.show
    if not count.of or count.low is None or count.high is None:
        return cell(show.integer(None))
    between = show.say("{low} to {high}", low=show.percent(count.low), high=show.percent(count.high))
    return cell(show.say("{n} of {total}", n=show.integer(count.n), total=show.integer(count.of)), between)


def level_name(frame: Frame, code: str, level: str, setting: Setting) -> str:
    """Return what a level of a code is called."""
    for each in frame.level_sets[frame.code(code).levels].levels:
        if each.key == level:
            return setting.say.label(each.title, level)
    return level


def round_name(key: str, setting: Setting) -> str:
    """Return what a round of interviews is called."""
    known = {"baseline": setting.say("the start"), "one_year": setting.say("one year on")}
    return known.get(key, key)


def type_name(frame: Frame, level: str, setting: Setting) -> str:
    """Return what a type of institution is called; a dash where there is none."""
    return level_name(frame, frame.type.code, level, setting) if level and frame.type else setting.show.integer(None)


def of_frame(title: str, frame: Frame, setting: Setting) -> str:
    """Return a title, with what the frame is called unless it is the one that the types are of."""
    name = setting.say.label(frame.title, frame.id)
    return title if frame.type is not None else setting.say("{title}: {frame}", title=title, frame=name)
