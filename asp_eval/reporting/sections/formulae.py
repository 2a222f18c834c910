"""The formulae behind the numbers, in one notation: child i of institution j."""

from __future__ import annotations

from asp_eval.analysis.results import Results
from asp_eval.reporting.blocks import Code, Field, Fields, Prose, Text, listing
from asp_eval.reporting.sections.outcomes import by_role
from asp_eval.reporting.setting import Setting

MODELS = {
    "continuous": "y_ij = x_ij'β + u_j + e_ij;  u_j ~ N(0, τ²),  e_ij ~ N(0, σ²)",
    "binary": "logit P(y_ij = 1) = x_ij'β + u_j;  u_j ~ N(0, τ²)",
    "ordinal": "logit P(y_ij ≤ k) = θ_k − x_ij'β − u_j;  u_j ~ N(0, τ²)",
    "count": "log E(y_ij) = x_ij'β + u_j;  u_j ~ N(0, τ²)",
}


def formulae(results: Results, setting: Setting) -> tuple[Fields, Prose]:
    """Return the formulae that some number of the report is by, and the terms of every outcome's model."""
    say, scales = setting.say, {result.scale for result in results.outcomes}
    names = {
        "continuous": say("Model of a measure"),
        "binary": say("Model of yes or no"),
        "ordinal": say("Model of bands"),
        "count": say("Model of a count"),
    }
    fields = [Field(names[scale], _code(MODELS[scale])) for scale in MODELS if scale in scales]
    if "continuous" in scales:
        fields.append(Field(say("ICC"), _code("τ² / (τ² + σ²)")))
        fields.append(Field(say("Effect size"), _code("β_arm / √(τ₀² + σ₀²)"), say("₀: of the model with arm and strata only")))
    fields.append(Field(say("Interval"), _code("b ± t(df) · SE(b)")))
    adjusted = {result.adjustment.method for result in results.outcomes if result.adjustment}
    if "holm" in adjusted:
        fields.append(Field(say("Adjusted p-value (Holm)"), _code("max[i ≤ k] min(1, (m − i + 1) · p(i))")))
    if "benjamini-hochberg" in adjusted:
        fields.append(Field(say("Adjusted p-value (Benjamini-Hochberg)"), _code("min[i ≥ k] min(1, m · p(i) / i)")))
    if any(result.missing for result in results.outcomes):
        fields.append(Field(say("Variance over m imputations (Rubin)"), _code("W + (1 + 1/m) · B")))
    if any(result.compliers for result in results.outcomes):
        fields.append(
            Field(say("Effect among those who took it"), _code("β_arm(y) / β_arm(d)"), say("y: the outcome; d: what was taken"))
        )
    models = [(setting.outcome_at(one), ": ", Code(one.model)) for one in by_role(results.outcomes)]
    terms = listing(models)
    return Fields(tuple(fields)), terms


def _code(formula: str) -> Text:
    return (Code(formula),)
