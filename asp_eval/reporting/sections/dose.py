"""What the institutions had of the intervention, and where the arms may have met."""

from __future__ import annotations

from asp_eval.analysis.gap_recipients import given_early
from asp_eval.analysis.integrity import ArmDose, InstitutionLine, Integrity
from asp_eval.analysis.results import Results
from asp_eval.reporting.blocks import Column, Row, Section, Table, cell, group_row, listing
from asp_eval.reporting.numbers import Shown
from asp_eval.reporting.sections.gap_profile import band_words
from asp_eval.reporting.setting import Setting
from asp_eval.trial.disclosure.bands import CountBand
from asp_eval.trial.flow.contamination import Shared


def contact(results: Results, setting: Setting) -> Section | None:
    """Return what was received and where the arms met; None where nothing is known of either."""
    words, table = contact_words(results, setting), dose_table(results, setting)
    if not words:
        return None
    blocks = (*((table,) if table else ()), listing(words))
    return Section("contact", setting.say("What was received, and where the arms met"), blocks)


def dose_table(results: Results, setting: Setting) -> Table | None:
    """Return the dose of each arm; None where no implementation log was imported."""
    say, show, found = setting.say, setting.show, results.integrity
    if found is None or not found.dose:
        return None
    columns = (
        Column("", numeric=False),
        Column(say("Institutions")),
        Column(say("With any")),
        Column(say("In all")),
        Column(say("Mean (SD)")),
        Column(say("Range")),
    )

    def row(dose: ArmDose) -> Row:
        return Row(
            (
                cell(setting.arm_heading(dose.arm)),
                cell(show.integer(dose.institutions)),
                cell(show.integer(dose.with_any)),
                cell(show.decimal(dose.total, 1)),
                cell(show.beside(show.decimal(dose.mean, 1), show.decimal(dose.sd, 1))),
                cell(show.interval(dose.low, dose.high, 1)),
            )
        )

    caption = say("What the institutions had of the intervention: {what}", what=_summed(setting))
    note = say("From the implementation log; external projects are not counted, and an institution without an entry had 0.")
    return Table("dose", caption, columns, tuple(row(dose) for dose in found.dose), (note,))


def _summed(setting: Setting) -> str:
    """Return what the doses are sums of: the declared column of the implementation log, hours where none is declared."""
    received = setting.study.received
    return setting.say.name(received.sum if received else "hours")


def contact_words(results: Results, setting: Setting) -> tuple[str, ...]:
    """Say in sentences where the arms may have met."""
    found = results.integrity
    if found is None:
        return ()
    return (
        *_reference_hours(found, setting),
        *_movers(results, setting),
        *_people(found.contamination.raters, found.contamination.staff, setting),
        *_projects(found, setting),
        *_profiles(setting),
    )


def institution_table(results: Results, setting: Setting) -> Table | None:
    """Return, institution by institution, who was missing at each wave, and its dose; None unless the study asks for it."""
    found = results.integrity
    if found is None or not found.institution_lines:
        return None
    say = setting.say
    waves = [setting.wave(wave.wave) for wave in results.flow.arms[0].waves]
    with_dose = bool(found.dose)
    columns = [Column(say("No."), numeric=False), Column(say("Children of the cohort"))]
    columns += [Column(say("Not screened: {wave}", wave=wave)) for wave in waves]
    if with_dose:
        columns.append(Column(setting.heading(_summed(setting))))
    rows: list[Row] = []
    for arm in setting.study.arms:
        rows.append(group_row(setting.arm_heading(arm), len(columns)))
        for one in (record for record in found.institution_lines if record.arm == arm):
            bands = (cell(_band(band, setting)) for band in (one.cohort, *one.missing))
            dose = [cell(_dose(one, setting))] if with_dose else []
            rows.append(Row((cell(setting.show.integer(one.number)), *bands, *dose)))
    few = setting.show.integer(setting.study.privacy.minimum_cell)
    notes = [
        say("Numbers run through this table and identify nobody; the order within an arm is by lot. Doses to the nearest ten."),
        say("Counts are in bands; fewer than {n} may be none.", n=few),
    ]
    if any(one.received is False for one in found.institution_lines):
        notes.append(say("* Did not receive the intervention by the declared rule."))
    return Table("institutions", say("Institution by institution"), tuple(columns), tuple(rows), tuple(notes))


def _band(band: CountBand | None, setting: Setting) -> str:
    if band is not None:
        return band_words(band, setting.show)
    return setting.show.say("fewer than {n}", n=setting.show.integer(setting.study.privacy.minimum_cell))


def _dose(one: InstitutionLine, setting: Setting) -> str:
    """Return a dose, with a mark where the compared arm's institution did not reach the limit."""
    marked = one.received is False and one.arm != setting.study.arms[0]
    dose = setting.show.decimal(one.dose, 0)
    return Shown(f"{dose}*", *dose.quantities) if marked else dose


def _reference_hours(found: Integrity, setting: Setting) -> tuple[str, ...]:
    first = next((dose for dose in found.dose if dose.arm == setting.study.arms[0]), None)
    if first is None:
        return ()
    say, fields = setting.say, {"arm": setting.group(setting.reference)}
    if not first.with_any:
        return (say("No institution of {arm} has an entry of the intervention in the implementation log.", **fields),)
    count = {"n": setting.show.integer(first.with_any), "total": setting.show.integer(first.institutions)}
    return (say("Of the {total} institutions of {arm}, {n} had something of the intervention by the log.", **fields, **count),)


def _movers(results: Results, setting: Setting) -> tuple[str, ...]:
    last = [arm.waves[-1] for arm in results.flow.arms if arm.waves]
    moved, crossed = sum(wave.moved for wave in last), sum(wave.crossed for wave in last)
    if not last:
        return ()
    say, n = setting.say, setting.show.integer
    wave = setting.wave(last[0].wave)
    if not moved:
        return (say("No child of the cohort was screened in another institution than at the draw ({wave}).", wave=wave),)
    return (
        say(
            "Children of the cohort screened in another institution than at the draw ({wave}): {moved}, of these {crossed} in "
            "another arm.",
            wave=wave,
            moved=n(moved),
            crossed=n(crossed),
        ),
    )


def _people(raters: Shared | None, staff: Shared | None, setting: Setting) -> list[str]:
    say, n, sentences = setting.say, setting.show.integer, []
    if raters is None:
        sentences.append(say("Who rated the children is not recorded."))
    else:
        fields = {"n": n(raters.people), "shared": n(raters.shared)}
        sentences.append(say("Raters: {n}, of these {shared} rated children in institutions of more than one arm.", **fields))
    if staff is None:
        sentences.append(say("Staff who work in both arms are not counted: no list of staff was imported."))
    else:
        fields = {"n": n(staff.people), "shared": n(staff.shared), "institutions": n(staff.institutions)}
        sentences.append(
            say(
                "Staff: {n}, of these {shared} worked in institutions of more than one arm ({institutions} institutions).",
                **fields,
            )
        )
    return sentences


def _projects(found: Integrity, setting: Setting) -> tuple[str, ...]:
    projects = found.contamination.projects
    if projects is None:
        return (setting.say("Projects of other origin are not counted: no implementation log was imported."),)
    of = [
        setting.say(
            "{arm}: {n} of {total}",
            arm=setting.arm(one.arm),
            n=setting.show.integer(one.with_project),
            total=setting.show.integer(one.institutions),
        )
        for one in projects
    ]
    return (setting.say("Institutions with a project of other origin beside the programme: {list}.", list="; ".join(of)),)


def _profiles(setting: Setting) -> tuple[str, ...]:
    """Say where institutions of the reference arm are given a tool of the intervention within the trial."""
    wave = given_early(setting.study)
    if not wave:
        return ()
    said = setting.say(
        "Institutions of {arm} are given their GAP-profile after the round “{wave}”, before the last one: a tool of the "
        "intervention reaches them while the trial runs.",
        arm=setting.group(setting.reference),
        wave=setting.wave(wave),
    )
    return (said,)
