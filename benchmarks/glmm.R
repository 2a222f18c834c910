# One R program, one task: run by glmm.py in a process of its own, prints one JSON line.
#   Rscript benchmarks/glmm.R TASK FILE REPETITIONS
args <- commandArgs(trailingOnly = TRUE)
d <- read.csv(args[2]); d$inst <- factor(d$inst); d$band <- factor(d$band, ordered = TRUE)
model <- y ~ arm + base + male + age + (1 | inst)
suppressPackageStartupMessages(library(switch(args[1], glmmTMB = "glmmTMB", clmm = "ordinal", "lme4"), character.only = TRUE))
run <- switch(args[1],
  glmer = function() glmer(model, d, family = binomial),
  glmer25 = function() glmer(model, d, family = binomial, nAGQ = 25),
  glmmTMB = function() glmmTMB(model, d, family = binomial),
  clmm = function() clmm(band ~ arm + base + male + age + (1 | inst), data = d))
read <- function(fit) switch(args[1], glmmTMB = fixef(fit)$cond[["arm"]], clmm = coef(fit)[["arm"]], fixef(fit)[["arm"]])
fit <- NULL
times <- sapply(seq_len(as.integer(args[3])), function(i) {
  spent <- system.time(fit <<- run()); spent[["user.self"]] + spent[["sys.self"]]
})
cat(sprintf('{"time": %.6f, "estimate": %.8f}\n', median(times), read(fit)))
