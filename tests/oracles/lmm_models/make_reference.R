# Linear mixed models: estimates, tests and intervals. Run in this folder:
#   Rscript make_reference.R        (R 4.2.2, lme4 1.1-31, lmerTest 3.1-3, pbkrtest 0.5.2)
suppressPackageStartupMessages({library(lme4); library(lmerTest); library(pbkrtest); library(jsonlite)})
d <- read.csv("data.csv", stringsAsFactors = FALSE)
d$arm <- factor(d$arm, levels = c("reference", "folder", "portfolio"))
d$sex <- factor(d$sex)
for (g in c("inst", "room", "child", "rater")) d[[g]] <- factor(d[[g]])

control <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 1e-3, rhoend = 1e-10, maxfun = 1e5))
models <- list(
  intercept   = y ~ arm + x + sex + (1 | inst),
  interaction = y ~ arm * x + sex * t + (1 | inst),
  slope       = y ~ arm * t + x + (1 + t | inst),
  separate    = y ~ arm * t + x + (1 + t || inst),
  nested      = y ~ arm + x + (1 | inst / room),
  three       = y ~ arm * t + (1 + t | inst) + (1 | child),
  crossed     = y ~ arm + x + (1 | child) + (1 | rater),
  factor      = y ~ sex + x + (0 + sex | inst),
  polynomial  = y ~ arm + I(t^2) + t + offset(x) + (1 | inst),
  singular    = flat ~ arm + x + (1 | inst)
)
out <- list()
for (name in names(models)) for (reml in c(TRUE, FALSE)) {
  fit <- lmerTest::lmer(models[[name]], d, REML = reml, control = control)
  s <- coef(summary(fit, ddf = "Satterthwaite"))
  entry <- list(model = name, reml = reml, n = nobs(fit), terms = names(fixef(fit)), estimate = unname(fixef(fit)),
    std_error = unname(s[, "Std. Error"]), criterion = unname(if (reml) lme4::REMLcrit(fit) else deviance(fit)),
    aic = AIC(fit), bic = BIC(fit), sigma = sigma(fit), singular = isSingular(fit),
    variances = unname(unlist(lapply(VarCorr(fit), function(v) diag(as.matrix(v))))),
    fitted = unname(fitted(fit)[1:8]), satterthwaite = unname(s[, "df"]))
  re <- as.data.frame(ranef(fit, condVar = TRUE))
  entry$effects <- list(group = as.character(re$grpvar), level = as.character(re$grp), term = as.character(re$term),
    estimate = re$condval, std_error = re$condsd)
  a <- anova(fit, type = "III", ddf = "Satterthwaite")
  entry$type3 <- list(terms = rownames(a), F = a[["F value"]], df = a$DenDF)
  if (reml) {
    k <- coef(summary(fit, ddf = "Kenward-Roger")); a <- anova(fit, type = "III", ddf = "Kenward-Roger")
    entry$kenward_roger <- list(std_error = unname(k[, "Std. Error"]), df = unname(k[, "df"]), p = unname(k[, "Pr(>|t|)"]),
      vcov = unname(as.matrix(vcovAdj(fit))), terms = rownames(a), F = a[["F value"]], den = a$DenDF)
  }
  out[[length(out) + 1]] <- entry
}
weighted <- lmer(y ~ arm + x + (1 | inst), d, weights = w, control = control)
s <- coef(summary(weighted, ddf = "Satterthwaite"))
extra <- list(weighted = list(terms = rownames(s), estimate = unname(s[, 1]), std_error = unname(s[, 2]), df = unname(s[, 3]),
  criterion = unname(lme4::REMLcrit(weighted)), sigma = sigma(weighted)))
ml <- lme4::lmer(y ~ arm * t + x + (1 + t | inst), d, REML = FALSE, control = control)
small <- lme4::lmer(y ~ arm * t + x + (1 | inst), d, REML = FALSE, control = control)
plain <- lme4::lmer(y ~ arm * t + x + (1 + t | inst), d, REML = FALSE)  # profiling restarts the optimiser: its own settings
ci <- confint(plain, parm = "theta_", oldNames = FALSE, quiet = TRUE)
extra$profile <- list(names = rownames(ci), low = unname(ci[, 1]), high = unname(ci[, 2]))
test <- anova(small, ml)
extra$ratio <- list(statistic = test$Chisq[2], df = test$Df[2], p = test[["Pr(>Chisq)"]][2])
new <- data.frame(inst = factor(c(3, 5, 9)), arm = factor(c("reference", "portfolio", "folder"), levels = levels(d$arm)), t = c(0, 1.5, 4), x = c(-1, 0, 2))
extra$predict <- list(conditional = unname(predict(ml, new)), population = unname(predict(ml, new, re.form = NA)))
write_json(list(models = out, extra = extra), "reference.json", digits = 16, auto_unbox = TRUE, pretty = FALSE)
