# Formulas as R reads them, type III tests and what is asked of a fit, on synthetic data. Run in this folder:
#   Rscript make_reference.R     (R 4.2.2, lme4 1.1-31, lmerTest 3.1-3, pbkrtest 0.5.2, sandwich 3.0-2, nlme 3.1-162, clubSandwich 0.5.8)
suppressPackageStartupMessages({library(lme4); library(lmerTest); library(pbkrtest); library(splines); library(sandwich); library(lmtest)})
d <- read.csv("data.csv", stringsAsFactors = TRUE)
d$b <- as.logical(d$b)
d$arm <- relevel(d$arm, ref = "new")
rows <- list()
add <- function(question, entry, term, quantity, value)
  rows[[length(rows) + 1]] <<- data.frame(question, entry, term, quantity, value = sprintf("%.15g", value))

linear <- c("post - pre ~ arm", "(post - pre) ~ arm", "post^2 ~ arm", "post - 1 ~ arm", "log(post + 20) ~ arm", "(post + pre) / 2 ~ arm",
  "post ~ arm + offset(pre - o)", "post ~ arm + offset(pre^2)", "post ~ arm + offset(2 * o)", "post ~ arm + offset(-o)",
  "post ~ arm + offset(o / 2) + offset(x)", "y ~ age + I(age^2)", "y ~ age^2", "y ~ sqrt(age) + abs(x) + exp(x)", "y ~ ns(x, 3)",
  "y ~ ns(x, df = 4) + arm", "y ~ poly(x, 2) * arm", "y ~ scale(x)", "y ~ bs(x, df = 4)", "y ~ factor(age)", "y ~ as.factor(age) * arm",
  "y ~ relevel(arm, ref = 'usual')", "y ~ C(f, contr.sum)", "y ~ C(f, contr.helmert)", "y ~ f / h", "y ~ (f + h + arm)^2 - f:h",
  "y ~ f %in% h", "y ~ 0 + b", "y ~ b:x", "y ~ x + x:b", "y ~ I((age == 3) | (age == 4))", "y ~ I(x > 0) + f:x - 1", "y ~ arm * f * b",
  "y ~ I(-x^2) + I(age %% 2) + I(age %/% 2)", "y ~ -1 + arm + x", "y ~ log(pre) + log2(pre) + log10(pre + 1)")
for (t in linear) {
  fit <- lm(as.formula(t), d)
  add("linear", t, "", "rss", sum(residuals(fit)^2)); add("linear", t, "", "rank", fit$rank); add("linear", t, "", "r2", summary(fit)$r.squared)
  if (!grepl("helmert|contr.sum|bs\\(", t)) for (k in 1:3) add("linear", t, k, "fitted", fitted(fit)[[k]])
  if (grepl("ns\\(|poly|scale|contr", t)) for (k in seq_along(coef(fit))) add("linear", t, k, "coefficient", coef(fit)[[k]])
}

type3 <- c("y ~ b * f + (1 | inst)", "y ~ arm * b * f + x + (1 | inst)", "y ~ factor(age) * arm + (1 | inst)",
  "y ~ x + I(x^2) + arm * f + (1 | inst)", "y ~ poly(x, 2) * arm + (1 | inst)", "y ~ f / h + (1 | inst)", "y ~ f:h + (1 | inst)",
  "y ~ 0 + f * h + (1 | inst)", "y ~ f * k + x + (1 | inst)", "y ~ arm * x * f + (1 | inst)", "y ~ C(f, contr.sum) * arm + (1 | inst)")
control <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10, maxfun = 1e5))
for (t in type3) for (ddf in c("Satterthwaite", "Kenward-Roger")) {
  fit <- lmerTest::lmer(as.formula(t), d, control = control)
  a <- suppressMessages(anova(fit, type = "III", ddf = ddf))
  for (k in seq_len(nrow(a))) {
    add("type3", paste(ddf, t), rownames(a)[k], "F", a[["F value"]][k]); add("type3", paste(ddf, t), rownames(a)[k], "q", a[["NumDF"]][k])
    add("type3", paste(ddf, t), rownames(a)[k], "df", a[["DenDF"]][k])
  }
}

fit <- lme4::lmer(y ~ arm + x + (1 + x | inst), d, REML = FALSE, control = control)
ci <- suppressMessages(confint(fit, parm = "beta_", quiet = TRUE))
for (k in rownames(ci)) { add("profile", "slope", k, "low", ci[k, 1]); add("profile", "slope", k, "high", ci[k, 2]) }
small <- lme4::lmer(y ~ arm + (1 | inst), d, control = control); middle <- lme4::lmer(y ~ arm + x + (1 | inst), d, control = control)
large <- lme4::lmer(y ~ arm + x + (1 + x | inst), d, control = control)
a <- suppressMessages(anova(small, middle, large))
for (k in 1:3) {
  for (q in c("npar", "AIC", "BIC", "logLik", "deviance")) add("comparison", "three", k, q, a[[q]][k])
  if (k > 1) for (q in c("Chisq", "Df", "Pr(>Chisq)")) add("comparison", "three", k, q, a[[q]][k])
}
o <- lm(y ~ arm + x + offset(o), d)
p <- predict(o, d[1:4, ], interval = "prediction"); m <- predict(o, d[1:4, ], interval = "confidence")
for (k in 1:4) for (q in c("fit", "lwr", "upr")) { add("predict", "prediction", k, q, p[k, q]); add("predict", "confidence", k, q, m[k, q]) }
o <- lm(y ~ arm + x, d)
for (type in c("HC0", "HC1")) for (adjust in c(FALSE, TRUE)) {
  v <- sqrt(diag(vcovCL(o, cluster = d[c("inst", "room")], type = type, cadjust = adjust)))
  for (k in names(v)) add("two-way", paste(type, adjust), k, "se", v[[k]])
}
cook <- cooks.distance(lm(y ~ arm + x, d, weights = w)); for (k in 1:4) add("influence", "rows", k, "cook", cook[[k]])
suppressPackageStartupMessages({library(nlme); library(clubSandwich)})
d$inverse <- 1 / d$w
m <- lme(y ~ arm + x, random = ~ 1 | inst, d, weights = varFixed(~ inverse), control = lmeControl(opt = "optim", msTol = 1e-12, maxIter = 500))
for (type in c("CR0", "CR1", "CR2", "CR3")) {
  test <- coef_test(m, vcov = type, cluster = d$inst)
  for (k in 1:3) { add("weighted", type, k, "se", test$SE[k]); add("weighted", type, k, "df", test$df_Satt[k]) }
}
write.csv(do.call(rbind, rows), "reference.csv", row.names = FALSE)
