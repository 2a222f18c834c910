# One R program, one task: run by engine.py in a process of its own, prints one JSON line.
#   Rscript benchmarks/peers.R TASK FOLDER REPETITIONS
suppressPackageStartupMessages(library(lme4))
args <- commandArgs(trailingOnly = TRUE)
task <- args[1]; folder <- args[2]; repetitions <- as.integer(args[3])

names <- readLines(file.path(folder, "columns.txt"), warn = FALSE)
d <- as.data.frame(lapply(setNames(names, names), function(x) {
  file <- file.path(folder, paste0(x, ".bin"))
  readBin(file, "double", n = file.size(file) / 8)
}))
if ("arm" %in% names) d$arm <- factor(d$arm, labels = c("reference", "intervention"))
if ("muni" %in% names) d$muni <- factor(d$muni, labels = c("a", "b"))
for (group in intersect(c("inst", "cls", "child", "a", "b"), names)) d[[group]] <- factor(d[[group]])

trial <- y ~ arm + base + male + age + muni + (1 | inst)
crossed <- y ~ x + (1 | a) + (1 | b)
classes <- y ~ arm * t + (1 + t | inst) + (1 + t | cls) + (1 | child)
quick <- lmerControl(calc.derivs = FALSE)
growth <- y ~ arm * t + base + (1 + t | inst) + (1 | child)
se <- function(fit, term) unname(sqrt(diag(as.matrix(vcov(fit))))[term])

tasks <- list(
  lme4_fit = function() list(run = function() lmer(trial, d), read = function(r) se(r, 2)),
  lmertest_kr = function() list(
    run = function() summary(lmerTest::lmer(trial, d), ddf = "Kenward-Roger"),
    read = function(r) r$coefficients[2, "Std. Error"]),
  pbkrtest_kr = function() {
    fit <- lmerTest::lmer(trial, d)
    list(run = function() summary(fit, ddf = "Kenward-Roger"), read = function(r) r$coefficients[2, "Std. Error"])
  },
  clubsandwich_cr2 = function() {
    fit <- lmer(trial, d)
    list(run = function() clubSandwich::coef_test(fit, vcov = "CR2", cluster = d$inst), read = function(r) r$SE[2])
  },
  clubsandwich_ols_cr2 = function() list(
    run = function() clubSandwich::coef_test(lm(y ~ arm + base + male + age + muni, d), vcov = "CR2", cluster = d$inst),
    read = function(r) r$SE[2]),
  lme4_crossed_ml = function() list(run = function() lmer(crossed, d, REML = FALSE, control = quick), read = function(r) se(r, 2)),
  lme4_crossed = function() list(run = function() lmer(crossed, d, control = quick), read = function(r) se(r, 2)),
  lme4_classes = function() list(run = function() lmer(classes, d, control = quick), read = function(r) se(r, 4)),
  lme4_refits = function() {
    parsed <- lFormula(trial, d)
    of_group <- tapply(as.numeric(d$arm) - 1, d$inst, `[`, 1); stratum <- tapply(as.numeric(d$muni), d$inst, `[`, 1)
    list(run = function() for (r in 1:100) {
      parsed$X[, 2] <- ave(of_group, stratum, FUN = sample)[d$inst]
      devfun <- do.call(mkLmerDevfun, parsed)
      fit <- mkMerMod(environment(devfun), optimizeLmer(devfun), parsed$reTrms, fr = parsed$fr)
    }, read = function(r) NaN)
  },
  lme4_growth = function() list(run = function() lmer(growth, d), read = function(r) se(r, 5)),
  pbkrtest_growth_kr = function() {
    fit <- lmerTest::lmer(growth, d)
    list(run = function() summary(fit, ddf = "Kenward-Roger"), read = function(r) r$coefficients[5, "Std. Error"])
  },
  clubsandwich_growth_cr2 = function() {
    fit <- lmer(growth, d)
    list(run = function() clubSandwich::coef_test(fit, vcov = "CR2", cluster = d$inst), read = function(r) r$SE[5])
  }
)
suppressPackageStartupMessages(suppressWarnings({
  prepared <- tasks[[task]]()
  if (repetitions > 1) result <- prepared$run()
  cpu <- numeric(); wall <- numeric()
  for (i in seq_len(repetitions)) {
    t <- system.time(result <- prepared$run())
    cpu <- c(cpu, sum(t[1:2])); wall <- c(wall, t[3])
  }
  value <- prepared$read(result)
}))
cat(sprintf('{"cpu": [%s], "wall": [%s], "extra_mb": null, "value": %s}\n', paste(cpu, collapse = ", "),
            paste(wall, collapse = ", "), format(value, digits = 12)))
