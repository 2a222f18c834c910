# One R program, one task: run by glmm.py in a process of its own, prints one JSON line.
#   Rscript benchmarks/glmm.R TASK FILE REPETITIONS
args <- commandArgs(trailingOnly = TRUE)
d <- read.csv(args[2]); d$inst <- factor(d$inst); d$band <- factor(d$band, ordered = TRUE)
model <- y ~ arm + base + male + age + (1 | inst)
suppressPackageStartupMessages(library(switch(args[1], glmmTMB = "glmmTMB", clmm = "ordinal", "lme4"), character.only = TRUE))
tight <- function() glmerControl(
  optimizer = "bobyqa", tolPwrss = 1e-13, optCtrl = list(rhoend = 1e-9, maxfun = 1e6), check.conv.grad = "ignore")
run <- switch(args[1],
  glmer = function() glmer(model, d, family = binomial),
  "glmer-tight" = function() glmer(model, d, family = binomial, control = tight()),
  glmer0 = function() glmer(model, d, family = binomial, nAGQ = 0),
  glmer25 = function() glmer(model, d, family = binomial, nAGQ = 25),
  glmmTMB = function() glmmTMB(model, d, family = binomial),
  clmm = function() clmm(band ~ arm + base + male + age + (1 | inst), data = d))
arm <- function(table) table["arm", 1:2]
read <- function(fit) arm(switch(args[1], glmmTMB = summary(fit)$coefficients$cond, coef(summary(fit))))
fit <- NULL
times <- sapply(seq_len(as.integer(args[3])), function(i) {
  spent <- system.time(fit <<- run()); spent[["user.self"]] + spent[["sys.self"]]
})
cat(sprintf('{"time": %.6f, "estimate": %.8f, "std_error": %.8f, "log_likelihood": %.6f}\n',
            median(times), read(fit)[1], read(fit)[2], as.numeric(logLik(fit))))
