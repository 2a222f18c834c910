# One refit after the other by lme4's modular route, and one bootstrap refit: run by resampling.py, prints one JSON line.
#   Rscript benchmarks/resampling.R FOLDER REPLICATES
suppressPackageStartupMessages(library(lme4))
args <- commandArgs(trailingOnly = TRUE); folder <- args[1]; B <- as.integer(args[2])
names <- readLines(file.path(folder, "columns.txt"), warn = FALSE)
d <- as.data.frame(lapply(setNames(names, names), function(x) {
  file <- file.path(folder, paste0(x, ".bin"))
  readBin(file, "double", n = file.size(file) / 8)
}))
draws <- matrix(readBin(file.path(folder, "draws.bin"), "double", n = B * 60), nrow = B, byrow = TRUE)
d$inst <- factor(d$inst)
parsed <- lFormula(y ~ arm + base + male + age + muni + (1 | inst), d)
refit_to <- function(arm) {
  parsed$X[, "arm"] <- arm
  devfun <- do.call(mkLmerDevfun, parsed)
  opt <- optimizeLmer(devfun)
  fit <- mkMerMod(environment(devfun), opt, parsed$reTrms, fr = parsed$fr)
  fixef(fit)[["arm"]]
}
suppressMessages(suppressWarnings({
  b <- numeric(B)
  modular <- system.time(for (r in seq_len(B)) b[r] <- refit_to(draws[r, d$inst]))
  fit <- lmer(y ~ arm + base + male + age + muni + (1 | inst), d)
  boot <- system.time(bootMer(fit, function(f) as.data.frame(VarCorr(f))$vcov, nsim = B, seed = 1))
}))
cat(sprintf('{"permutation": %.6f, "bootstrap": %.6f, "estimates": [%s]}\n', sum(modular[1:2]) / B, sum(boot[1:2]) / B,
            paste(format(b, digits = 12), collapse = ", ")))
