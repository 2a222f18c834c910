# Cluster-robust standard errors, degrees of freedom and joint tests of mixed models (REML). Run in this folder:
#   Rscript make_reference.R        (R 4.2.2, lme4 1.1-31, clubSandwich 0.5.8)
suppressPackageStartupMessages({library(lme4); library(clubSandwich)})
d <- read.csv("data.csv", stringsAsFactors = FALSE)
d$arm <- factor(d$arm)
d$cluster <- factor(d$cluster)
d$room <- factor(d$room)

models <- list(
  intercept = list(formula = y ~ arm + x + (1 | cluster), joint = c("armb", "x")),
  no_span   = list(formula = y ~ 0 + x + t + (1 | cluster), joint = c("x", "t")),
  nested    = list(formula = y ~ arm + x + (1 | cluster / room), joint = c("armb", "x")),
  slope     = list(formula = g ~ arm * t + (1 + t | cluster), joint = c("armb", "armb:t")),
  slope_out = list(formula = g ~ arm + x + (1 + t | cluster), joint = c("armb", "x")),
  separate  = list(formula = g ~ arm * t + (1 + t || cluster), joint = c("armb", "armb:t"))
)
rows <- list(); joints <- list()
for (name in names(models)) {
  m <- models[[name]]
  fit <- lmer(m$formula, d, control = lmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 1e-3, rhoend = 1e-9, maxfun = 1e5)))
  stopifnot(!isSingular(fit))
  for (kind in c("CR0", "CR1", "CR1S", "CR2", "CR3")) {
    V <- vcovCR(fit, cluster = d$cluster, type = kind)
    t <- coef_test(fit, V, test = "Satterthwaite")
    rows[[length(rows) + 1]] <- data.frame(model = name, kind = kind, term = names(fixef(fit)),
      estimate = t$beta, std_error = t$SE, df = t$df, p_value = t$p_Satt)
    C <- diag(length(fixef(fit)))[match(m$joint, names(fixef(fit))), , drop = FALSE]
    h <- Wald_test(fit, constraints = C, vcov = V, test = "HTZ")
    joints[[length(joints) + 1]] <- data.frame(model = name, kind = kind, terms = paste(m$joint, collapse = "|"),
      statistic = h$Fstat, df_numerator = h$df_num, df_denominator = h$df_denom, p_value = h$p_val)
  }
}
save <- function(x, file) {
  x <- do.call(rbind, x)
  numbers <- sapply(x, is.numeric)
  x[numbers] <- lapply(x[numbers], formatC, digits = 16, format = "g", width = 1)
  write.csv(x, file, row.names = FALSE, quote = FALSE)
}
save(rows, "reference.csv")
save(joints, "reference_joint.csv")
