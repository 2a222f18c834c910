"""The literature behind the methods that a report used; a reference stands only where its method does."""

from __future__ import annotations

from collections.abc import Iterator

from asp_eval.analysis.results import Results
from asp_eval.core.errors import Unavailable
from asp_eval.reporting.blocks import Column, Row, Table, cell
from asp_eval.reporting.sections.outcomes import methods_used
from asp_eval.reporting.setting import Setting


def references_table(results: Results, setting: Setting) -> Table:
    """Return what was used, and where it is published."""
    say = setting.say
    found = (*_of_models(results, setting), *_declared(results, setting), *_of_the_design(results, setting))
    columns = (Column(say("Used for"), numeric=False, width=34), Column(say("Reference"), numeric=False))
    rows = tuple(Row((cell(what), cell(source))) for what, source in found)
    return Table("references", say("References"), columns, rows, breaks=True)


def _of_models(results: Results, setting: Setting) -> Iterator[tuple[str, str]]:
    """Yield the references of models and methods of inference that some effect was really estimated by."""
    say = setting.say
    used = methods_used(results.outcomes)
    if any(result.scale == "continuous" for result in results.outcomes):
        yield (
            say("Linear mixed model"),
            "Bates D, Mächler M, Bolker B, Walker S (2015). Journal of Statistical Software 67(1).",
        )
    if "KenwardRoger" in used:
        yield say("Small-sample tests"), "Kenward MG, Roger JH (1997). Biometrics 53:983–997."
    if "Satterthwaite" in used:
        yield say("Small-sample tests"), "Satterthwaite FE (1946). Biometrics Bulletin 2:110–114."
    if "Permutation" in used or any(result.lot or result.estimators for result in results.outcomes):
        yield setting.heading(say("permutation of the lot")), "Gail MH et al. (1996). Statistics in Medicine 15:1069–1092."
    if any(result.averages or result.estimators for result in results.outcomes):
        yield (
            say("Cluster-robust standard errors (CR2)"),
            "Pustejovsky JE, Tipton E (2018). Journal of Business & Economic Statistics 36:672–683.",
        )
    if any(result.averages for result in results.outcomes):
        yield (
            say("Whose effect it is"),
            "Kahan BC, Li F, Copas AJ, Harhay MO (2023). International Journal of Epidemiology 52:107–118.",
        )
    methods = {result.adjustment.method for result in results.outcomes if result.adjustment}
    for method, source in (
        ("holm", "Holm S (1979). Scandinavian Journal of Statistics 6:65–70."),
        ("benjamini-hochberg", "Benjamini Y, Hochberg Y (1995). Journal of the Royal Statistical Society B 57:289–300."),
        ("westfall-young", "Westfall PH, Young SS (1993). Resampling-Based Multiple Testing. Wiley."),
    ):
        if method in methods:
            yield say("Several outcomes"), source
    if any(not isinstance(effect.effect_size, Unavailable) for result in results.outcomes for effect in result.effects):
        yield say("Effect size"), "Hedges LV (2007). Journal of Educational and Behavioral Statistics 32:341–370."
    if results.reliabilities:
        yield say("How the items of a scale hang together"), "Cronbach LJ (1951). Psychometrika 16:297–334."


def _declared(results: Results, setting: Setting) -> Iterator[tuple[str, str]]:
    """Yield the references of what the plan declares beside its models."""
    say = setting.say
    if any(result.estimators for result in results.outcomes):
        yield say("Estimating equations"), "Mancl LA, DeRouen TA (2001). Biometrics 57:126–134."
        yield say("Wild cluster bootstrap"), "Webb MD (2023). Canadian Journal of Economics 56:839–858."
    if results.waves:
        yield say("All waves of a score in one model"), "Liang K-Y, Zeger SL (2000). Sankhyā B 62:134–148."
    if any(result.missing for result in results.outcomes):
        yield say("Multiple imputation"), "Rubin DB (1987). Multiple Imputation for Nonresponse in Surveys. Wiley."
        yield say("Multiple imputation"), "Barnard J, Rubin DB (1999). Biometrika 86:948–955."
    with_baseline = any(outcome.baseline for outcome in setting.study.outcomes)
    if with_baseline and setting.study.analysis.missing_baseline == "indicator":
        yield say("Missing baseline scores"), "White IR, Thompson SG (2005). Statistics in Medicine 24:993–1007."
    if any(result.compliers for result in results.outcomes):
        yield (
            say("Those who took the intervention"),
            "Angrist JD, Imbens GW, Rubin DB (1996). Journal of the American Statistical Association 91:444–455.",
        )
        yield say("Those who took the intervention"), "Anderson TW, Rubin H (1949). Annals of Mathematical Statistics 20:46–63."


def _of_the_design(results: Results, setting: Setting) -> Iterator[tuple[str, str]]:
    """Yield the references of design, loss and reporting."""
    say = setting.say
    yield say("Attributes of an effect"), "ICH (2019). E9(R1), addendum on estimands and sensitivity analysis in clinical trials."
    if results.integrity is not None and not isinstance(results.integrity.omnibus, Unavailable):
        yield say("Balance of the arms"), "Hansen BB, Bowers J (2008). Statistical Science 23:219–236."
    yield say("Limits of loss and balance"), "What Works Clearinghouse (2022). Procedures and Standards Handbook, version 5.0."
    yield say("What a report must tell"), "Hopewell S et al. (2025). CONSORT 2025. BMJ 389:e081123."
    yield say("What a report must tell"), "Campbell MK et al. (2012). CONSORT, cluster trials. BMJ 345:e5661."
    if any(value for _, value in setting.study.programme):
        yield say("What was to be delivered"), "Hoffmann TC et al. (2014). TIDieR. BMJ 348:g1687."
