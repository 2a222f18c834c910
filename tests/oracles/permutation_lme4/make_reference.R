# Permutation by refitting with lmer, allocation by allocation. Run in this folder:
#   Rscript make_reference.R        (R 4.2.2, lme4 1.1-31, clubSandwich 0.5.8)
suppressPackageStartupMessages({library(lme4); library(clubSandwich)})
d <- read.csv("data.csv"); draws <- read.csv("draws.csv")
control <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 1e-3, rhoend = 1e-10, maxfun = 1e5),
                       check.conv.singular = "ignore", calc.derivs = FALSE)
models <- list(
  y           = function(d) lmer(y ~ arm + base + muni + (1 | inst), d, control = control),
  weighted    = function(d) lmer(y ~ arm + base + muni + (1 | inst), d, weights = w, control = control),
  interaction = function(d) lmer(y ~ arm * base + (1 | inst), d, control = control),
  flat        = function(d) lmer(flat ~ arm + base + muni + (1 | inst), d, control = control)
)
one <- function(model, d) {
  d$arm <- factor(d$arm, levels = c("reference", "intervention"))
  if (model == "ols") {
    fit <- lm(y ~ arm + base + muni, d)
    v <- vcovCR(fit, cluster = d$inst, type = "CR1")
    return(c(coef(fit)[2], sqrt(v[2, 2])))
  }
  if (model == "means") {
    m <- aggregate(cbind(y, base, b = muni == "b", a = arm == "intervention") ~ inst, d, mean)
    return(coef(summary(lm(y ~ a + base + b, m)))[2, 1:2])
  }
  fit <- models[[model]](d)
  c(fixef(fit)[2], sqrt(vcov(fit)[2, 2]))
}
out <- data.frame()
for (model in c(names(models), "ols", "means")) {
  found <- rbind(one(model, d), t(sapply(seq_len(nrow(draws)), function(r) {
    e <- d; e$arm <- ifelse(unlist(draws[r, e$inst]) == 1, "intervention", "reference")
    one(model, e)
  })))
  out <- rbind(out, data.frame(model = model, draw = 0:nrow(draws), estimate = found[, 1], std_error = found[, 2]))
}
write.csv(format(out, digits = 12), "reference.csv", row.names = FALSE, quote = FALSE)
