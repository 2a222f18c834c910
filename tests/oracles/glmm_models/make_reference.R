# Generalised linear and cumulative link mixed models. Run in this folder:
#   Rscript make_reference.R        (R 4.2.2, lme4 1.1-31, glmmTMB 1.1.5, ordinal 2022.11-16)
suppressPackageStartupMessages({library(lme4); library(glmmTMB); library(ordinal); library(jsonlite)})
d <- read.csv("data.csv", stringsAsFactors = FALSE)
d$arm <- factor(d$arm, levels = c("reference", "intervention"))
for (g in c("inst", "room", "rater")) d[[g]] <- factor(d[[g]])
d$band <- factor(d$band, ordered = TRUE)
tight <- glmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 1e-3, rhoend = 1e-9, maxfun = 1e6), tolPwrss = 1e-12,
  check.conv.grad = "ignore")

lme4_models <- list(
  logit       = list(y ~ arm + x + (1 | inst), "binomial", 1),
  logit_9     = list(y ~ arm + x + (1 | inst), "binomial", 9),
  probit_9    = list(y ~ arm + x + (1 | inst), binomial("probit"), 9),
  cloglog     = list(y ~ arm + x + (1 | inst), binomial("cloglog"), 1),
  slope       = list(y ~ arm + x + (1 + x | inst), "binomial", 1),
  separate    = list(y ~ arm + x + (1 + x || inst), "binomial", 1),
  nested      = list(y ~ arm + x + (1 | inst / room), "binomial", 1),
  crossed     = list(y ~ arm + x + (1 | inst) + (1 | rater), "binomial", 1),
  grouped     = list(cbind(events, trials - events) ~ arm * x + (1 | inst), "binomial", 1),
  grouped_25  = list(cbind(events, trials - events) ~ arm * x + (1 | inst), "binomial", 25),
  poisson     = list(falls ~ arm + x + offset(log(hours)) + (1 | inst / room), "poisson", 1),
  poisson_9   = list(falls ~ arm + x + offset(log(hours)) + (1 | inst), "poisson", 9)
)
out <- list()
for (name in names(lme4_models)) {
  m <- lme4_models[[name]]
  first <- glmer(m[[1]], d, family = m[[2]], nAGQ = m[[3]])
  fit <- glmer(m[[1]], d, family = m[[2]], nAGQ = m[[3]], control = tight, start = list(theta = getME(first, "theta"), fixef = fixef(first)))
  out[[name]] <- list(software = "lme4", estimate = unname(fixef(fit)), std_error = unname(sqrt(diag(as.matrix(vcov(fit))))),
    sd = unname(unlist(lapply(VarCorr(fit), function(v) sqrt(diag(as.matrix(v)))))), loglik = as.numeric(logLik(fit)))
}
tmb <- list(
  negbin        = fights ~ arm + x + (1 | inst),
  negbin_nested = fights ~ arm + x + (1 | inst / room)
)
for (name in names(tmb)) {
  fit <- glmmTMB(tmb[[name]], d, family = nbinom2, control = glmmTMBControl(optCtrl = list(iter.max = 1e4, eval.max = 1e4, rel.tol = 1e-14)))
  out[[name]] <- list(software = "glmmTMB", estimate = unname(fixef(fit)$cond), std_error = unname(sqrt(diag(vcov(fit)$cond))),
    sd = unname(unlist(lapply(VarCorr(fit)$cond, function(v) sqrt(diag(as.matrix(v)))))), loglik = as.numeric(logLik(fit)),
    dispersion = sigma(fit))
}
clmms <- list(
  ordinal        = list(band ~ arm + x + (1 | inst), "logit", 1, "flexible"),
  ordinal_10     = list(band ~ arm + x + (1 | inst), "logit", 10, "flexible"),
  ordinal_probit = list(band ~ arm + x + (1 | inst), "probit", 10, "flexible"),
  # clmm (not clm) has the names of these two links the other way round: its "loglog" is 1 - exp(-exp(x))
  ordinal_cloglog = list(band ~ arm + x + (1 | inst), "loglog", 10, "flexible"),
  ordinal_equal  = list(band ~ arm + x + (1 | inst), "logit", 10, "equidistant"),
  ordinal_two    = list(band ~ arm + x + (1 | inst) + (1 | rater), "logit", 1, "flexible")
)
for (name in names(clmms)) {
  m <- clmms[[name]]
  fit <- clmm(m[[1]], data = d, link = m[[2]], nAGQ = m[[3]], threshold = m[[4]])  # tighter control spoils its Hessian
  k <- length(fit$alpha)
  out[[name]] <- list(software = "ordinal", estimate = unname(fit$beta), std_error = unname(sqrt(diag(vcov(fit)))[k + seq_along(fit$beta)]),
    thresholds = unname(as.vector(fit$Theta)), sd = unname(unlist(lapply(VarCorr(fit), function(v) sqrt(diag(as.matrix(v)))))),
    loglik = as.numeric(logLik(fit)))
}
# the arm's own effect on each threshold, against one effect for all: clmm has no nominal effects, clmm2 has
same <- clmm2(band ~ arm + x, random = inst, data = d, Hess = FALSE, nAGQ = 15)
own <- clmm2(band ~ x, nominal = ~ arm, random = inst, data = d, Hess = FALSE, nAGQ = 15)
write_json(list(statistic = as.numeric(2 * (logLik(own) - logLik(same))), df = attr(logLik(own), "df") - attr(logLik(same), "df")),
  "proportional_odds.json", digits = 12, auto_unbox = TRUE)
# terms tested by Wald's chi-square after emmeans (type III), nested fits by the likelihood ratio, and residuals
suppressPackageStartupMessages(library(emmeans))
d$side <- cut(d$x, c(-Inf, -0.5, 0.5, Inf), labels = c("low", "mid", "high"))
type3 <- function(fit) { t <- as.data.frame(joint_tests(fit)); list(term = t[[1]], F = t$F.ratio, df = t$df1) }
polished <- function(f, family, nAGQ = 1) {
  first <- glmer(f, d, family = family, nAGQ = nAGQ)
  glmer(f, d, family = family, nAGQ = nAGQ, control = tight, start = list(theta = getME(first, "theta"), fixef = fixef(first)))
}
large <- polished(y ~ arm * side + (1 | inst), "binomial", 9)
small <- polished(y ~ arm + (1 | inst), "binomial", 9)
ordinal_large <- clmm(band ~ arm * side + (1 | inst), data = d, nAGQ = 10)
ordinal_small <- clmm(band ~ arm + (1 | inst), data = d, nAGQ = 10)
ratio <- function(small, large) list(statistic = as.numeric(2 * (logLik(large) - logLik(small))), df = attr(logLik(large), "df") - attr(logLik(small), "df"))
left <- function(fit) list(pearson = unname(residuals(fit, "pearson")[1:6]), deviance = unname(residuals(fit, "deviance")[1:6]))
negbin <- glmmTMB(tmb$negbin, d, family = nbinom2)
write_json(list(
  glmm = c(list(terms = type3(large)), ratio = list(ratio(small, large))),
  clmm = c(list(terms = type3(ordinal_large)), ratio = list(ratio(ordinal_small, ordinal_large))),
  residuals = list(logit = left(polished(y ~ arm + x + (1 | inst), "binomial")),
    grouped = left(polished(cbind(events, trials - events) ~ arm * x + (1 | inst), "binomial")),
    poisson = left(polished(falls ~ arm + x + offset(log(hours)) + (1 | inst / room), "poisson")),
    negbin = list(pearson = unname(residuals(negbin, "pearson")[1:6])))), "comparisons.json", digits = 12, auto_unbox = TRUE, pretty = TRUE)
write_json(out, "reference.json", digits = 12, auto_unbox = TRUE, pretty = TRUE)
