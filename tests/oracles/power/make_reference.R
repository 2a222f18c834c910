# Reference values of power, from R 4.2.2: Rscript make_reference.R
#
# Two-level designs by pt() with a noncentrality parameter and uniroot(); individuals by power.t.test() and power.prop.test().
# A trial with a baseline and clusters of unequal size is simulated row by row and fitted by lme4 1.1-31.

options(digits = 17)
both_tails <- function(delta, df, alpha = 0.05) {
  crit <- qt(1 - alpha / 2, df)
  pt(crit, df, ncp = delta, lower.tail = FALSE) + pt(-crit, df, ncp = delta)
}
mdes <- function(se, df, power = 0.8) {
  uniroot(function(es) both_tails(es / se, df) - power, c(1e-6, 50), tol = 1e-14)$root
}

# -- clusters: a grid of its own -------------------------------------------------------------------------------------------
grid <- expand.grid(
  clusters = c(10, 26, 59), size = c(6, 39), icc = c(0.03, 0.17), share = c(0.5, 0.4), r2_cluster = c(0, 0.35),
  r2_individual = c(0, 0.25), covariates = c(0, 2), effect = 0.27
)
grid$se <- with(grid, sqrt(
  icc * (1 - r2_cluster) / (share * (1 - share) * clusters) +
    (1 - icc) * (1 - r2_individual) / (share * (1 - share) * clusters * size)
))
grid$df <- with(grid, clusters - 2 - covariates)
grid$power <- with(grid, mapply(both_tails, effect / se, df))
grid$detectable <- with(grid, mapply(mdes, se, df))
grid$central <- with(grid, (qt(0.975, df) + qt(0.8, df)) * se)
write.csv(grid, "two_level.csv", row.names = FALSE)

# -- individuals: R's own functions, one tail of two -------------------------------------------------------------------------
t1 <- expand.grid(delta = c(0.2, 0.45), power = c(0.7, 0.85, 0.95), alpha = c(0.05, 0.01))
t1$n_per_arm <- mapply(function(d, p, a) power.t.test(delta = d, power = p, sig.level = a, tol = 1e-12)$n, t1$delta, t1$power, t1$alpha)
t2 <- expand.grid(delta = c(0.2, 0.45), n = c(15, 60, 200), strict = c(TRUE, FALSE))
t2$power <- mapply(function(d, n, s) power.t.test(n = n, delta = d, strict = s)$power, t2$delta, t2$n, t2$strict)
p1 <- expand.grid(p0 = c(0.15, 0.4), p1 = c(0.25, 0.6), power = c(0.8, 0.9))
p1$n_per_arm <- mapply(function(a, b, p) power.prop.test(p1 = a, p2 = b, power = p, tol = 1e-12)$n, p1$p0, p1$p1, p1$power)
write.csv(t1, "power_t_test_n.csv", row.names = FALSE)
write.csv(t2, "power_t_test.csv", row.names = FALSE)
write.csv(p1, "power_prop_test_n.csv", row.names = FALSE)

# -- simulation by lme4: 2,000 trials of 24 clusters of unequal size, with a baseline as covariate ----------------------------
# The t test divides lmer's estimate by its standard error, on the clusters' 24 - 2 degrees of freedom.
suppressMessages(library(lme4))
set.seed(20070901)
sizes <- rep(c(8, 14, 20, 38), each = 6)
cluster <- rep(seq_along(sizes), sizes)
one <- function(...) {
  treated <- rep(0:1, 12)
  r <- c(0.6, 0.5)
  v <- rnorm(24, sd = sqrt(0.2)); f <- rnorm(sum(sizes), sd = sqrt(0.8))
  x <- v[cluster] + f
  y <- 0.5 * treated[cluster] + (r[1] * v + rnorm(24, sd = sqrt(0.2 * (1 - r[1]^2))))[cluster] +
    r[2] * f + rnorm(sum(sizes), sd = sqrt(0.8 * (1 - r[2]^2)))
  fit <- suppressMessages(lmer(y ~ treated[cluster] + x + (1 | cluster), REML = TRUE))
  summary(fit)$coefficients[2, 1:2]
}
found <- t(sapply(1:2000, one))
rejected <- abs(found[, 1] / found[, 2]) > qt(0.975, 22)
write.csv(data.frame(
  trials = 2000, power = mean(rejected), mean_estimate = mean(found[, 1]), spread = sd(found[, 1]), rms_se = sqrt(mean(found[, 2]^2))
), "lme4_simulation.csv", row.names = FALSE)
