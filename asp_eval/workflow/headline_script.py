"""The R script of an export, which computes the mixed models' effects again with lme4 and pbkrtest. Nothing here runs it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from asp_eval.analysis.formulas import arm_term, model_formula
from asp_eval.analysis.results import Results
from asp_eval.analysis.sets import AnalysisSet
from asp_eval.trial.study.design import Study
from asp_eval.workflow.export_files import Format

SCRIPT = "headline.R"
NUMBERS = ("estimate", "std_error", "df", "p_value", "conf_low", "conf_high")
READ: dict[Format, str] = {
    "csv": 'read.csv(paste0("analysis_", outcome, ".csv"), na.strings = "")',
    "excel": 'read.csv2(paste0("analysis_", outcome, ".csv"), na.strings = "", fileEncoding = "UTF-8-BOM")',
    "parquet": 'as.data.frame(arrow::read_parquet(paste0("analysis_", outcome, ".parquet")))',
}
HEAD = """\
# The effects of the planned mixed models again, by lme4 and pbkrtest (Kenward-Roger).
# In the folder of this file:  Rscript headline.R
# 'here' is what output/results.json held when these files were written; empty where it held nothing current.
library(lme4)
library(pbkrtest)

effects <- function(outcome, formula, arms, level, here) {{
  d <- {read}
  d[] <- lapply(d, function(x) if (is.character(x)) factor(x) else x)
  d$arm <- factor(d$arm, levels = arms)
  fit <- lmer(formula, data = d, REML = TRUE)
  adjusted <- as.matrix(vcovAdj(fit))
  for (arm in arms[-1]) {{
    l <- as.numeric(names(fixef(fit)) == paste0("arm", arm))
    estimate <- sum(l * fixef(fit))
    se <- sqrt(sum(l * (adjusted %*% l)))
    df <- Lb_ddf(l, vcov(fit), vcovAdj(fit))
    half <- qt(0.5 + level / 2, df) * se
    found <- c(estimate, se, df, 2 * pt(-abs(estimate / se), df), estimate - half, estimate + half)
    names(found) <- c("estimate", "std_error", "df", "p_value", "conf_low", "conf_high")
    cat("\\n", outcome, ", ", arm, "\\n", sep = "")
    print(rbind(R = found, here = here[[arm]]), digits = 7)
  }}
}}
"""


def headline_script(study: Study, sets: Sequence[AnalysisSet], results: Results | None, form: Format) -> str:
    """Return the script; empty if no outcome is a measure.

    Parameters
    ----------
    study : Study
    sets : sequence of AnalysisSet
        Those whose rows are exported.
    results : Results, optional
        Current ones, whose numbers are printed beside.
    form : {"csv", "excel", "parquet"}
        Of the exported files.
    """
    calls = [_call(study, data, results) for data in sets if data.outcome.is_continuous]
    return "\n".join([HEAD.format(read=READ[form]), *calls, ""]) if calls else ""


def _call(study: Study, data: AnalysisSet, results: Results | None) -> str:
    arms = ", ".join(json.dumps(arm) for arm in study.arms)
    here = ", ".join(f"{json.dumps(arm)} = {_numbers(data, arm, results)}" for arm in study.arms[1:])
    return (
        f"effects({json.dumps(data.outcome.id)}, {model_formula(data)},\n"
        f"        arms = c({arms}), level = {study.analysis.level:g}, here = list({here}))"
    )


def _numbers(data: AnalysisSet, arm: str, results: Results | None) -> str:
    """Return what the results hold of the mixed model's effect, as R writes numbers."""
    found = None
    for result in results.outcomes if results is not None else ():
        if result.outcome == data.outcome.id:
            found = next((one for one in result.coefficients if one.term == arm_term(arm)), None)
    numbers = [] if found is None else [getattr(found, name) for name in NUMBERS]
    shown = ", ".join("NA" if number is None else repr(float(number)) for number in numbers)
    return f"c({shown})" if shown else "rep(NA, 6)"
