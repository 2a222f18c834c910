# What two other imputers of two-level data give: jomo and pan, 200 imputations each.
# Run in this folder: Rscript make_reference.R   (R 4.2.2, jomo 2.7-4, pan 1.6, mitml 0.4-4, lme4 1.1-31); a few minutes
#
# small.csv: 126 children in 12 institutions; medium.csv: 600 in 30. Simulated: the effect of arm on w3 is -0.30; whether w3 is missing
# depends on w2 with another sign in each arm, so that complete cases are biased.
suppressMessages({library(lme4); library(jomo); library(pan); library(mitml)})
pooled <- function(sets, df) {
  fits <- lapply(sets, function(d) lmer(w3 ~ arm + w1 + girl + (1 | inst), d))
  Q <- sapply(fits, fixef); U <- sapply(fits, function(f) diag(as.matrix(vcov(f))))
  data.frame(term = rownames(Q), estimate = rowMeans(Q), std_error = sqrt(rowMeans(U) + (1 + 1 / ncol(Q)) * apply(Q, 1, var)),
             within = rowMeans(U), between = apply(Q, 1, var))
}
out <- NULL
for (case in c("small", "medium")) {
  d <- read.csv(paste0(case, ".csv")); d <- d[order(d$inst), ]; d$g <- as.integer(factor(d$inst)); m <- 200
  Y <- d[, c("w2", "w3")]; X <- data.frame(one = 1, d[, c("arm", "girl", "w1", "z")])
  set.seed(1)
  sink(tempfile()); j <- jomo1rancon(Y, X = X, clus = d$g, nburn = 2000, nbetween = 200, nimp = m, output = 0); sink()
  sets <- lapply(1:m, function(k) {s <- d; own <- j[j$Imputation == k, ]; s$w2 <- own$w2; s$w3 <- own$w3; s})
  out <- rbind(out, cbind(case = case, by = "jomo", pooled(sets, NULL)))
  p <- panImpute(d, formula = w2 + w3 ~ arm + girl + w1 + z + (1 | g), n.burn = 2000, n.iter = 200, m = m, seed = 1, silent = TRUE)
  out <- rbind(out, cbind(case = case, by = "pan", pooled(mitmlComplete(p, 1:m), NULL)))
  out <- rbind(out, cbind(case = case, by = "complete cases", pooled(list(d, d), NULL)))
}
write.csv(out, "reference.csv", row.names = FALSE)
