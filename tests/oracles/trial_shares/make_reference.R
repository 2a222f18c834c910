# Writes reference.csv: lme4 and ordinal fits of the trial's three outcomes, turned into average effects of the arm.
# Rscript make_reference.R; written under R 4.2.2, lme4 1.1-31, ordinal 2022.11-16.
# Random effects are integrated out by integrate(); standard errors are the delta method with numerical derivatives, from
# the Hessian of each likelihood in all its parameters.
suppressMessages({library(lme4); library(ordinal)})
d <- read.csv("data.csv", stringsAsFactors = TRUE)
d$arm <- relevel(d$arm, "reference")

d$band <- cut(d$points, c(-Inf, 2.5, 4.5, 6.5, Inf), labels = c("< 3", "3 - 5", "5 - 7", ">= 7"), ordered_result = TRUE)
hessian <- function(f, x, h = 1e-3) {
  k <- length(x); H <- matrix(0, k, k)
  e <- function(i, s) { z <- numeric(k); z[i] <- s * h; z }
  for (i in 1:k) for (j in 1:k) H[i, j] <- (f(x + e(i, 1) + e(j, 1)) - f(x + e(i, 1) + e(j, -1)) - f(x + e(i, -1) + e(j, 1)) + f(x + e(i, -1) + e(j, -1))) / (4 * h * h)
  (H + t(H)) / 2
}
gradient <- function(f, x, h = 1e-4) sapply(seq_along(x), function(i) { z <- numeric(length(x)); z[i] <- h; (f(x + z) - f(x - z)) / (2 * h) })
z <- seq(-8, 8, by = 0.05); w <- dnorm(z) * 0.05
over <- function(h, eta, sd) mean(rowSums(outer(eta, z, function(e, u) h(e + sd * u)) * rep(w, each = length(eta))))
out <- NULL
add <- function(outcome, quantity, f, x, V) {
  g <- gradient(f, x)
  out <<- rbind(out, data.frame(outcome = outcome, quantity = quantity, estimate = f(x), std_error = sqrt(drop(g %*% V %*% g))))
}
generalised <- function(outcome, formula, family, inverse) {
  control <- glmerControl(optimizer = "bobyqa", optCtrl = list(maxfun = 1e5, rhoend = 1e-9))
  fit <- glmer(formula, d, family, nAGQ = 15, control = control)
  deviance <- update(fit, devFunOnly = TRUE)
  x <- c(getME(fit, "theta"), fixef(fit))
  V <- solve(hessian(deviance, x) / 2)
  X <- lapply(c("reference", "intervention"), function(a) model.matrix(delete.response(terms(fit)), transform(d, arm = factor(a, levels(d$arm)))))
  mean_in <- function(x, k) over(inverse, drop(X[[k]] %*% x[-1]), abs(x[1]))
  add(outcome, "reference", function(x) mean_in(x, 1), x, V)
  add(outcome, "intervention", function(x) mean_in(x, 2), x, V)
  add(outcome, "difference", function(x) mean_in(x, 2) - mean_in(x, 1), x, V)
  add(outcome, "log ratio", function(x) log(mean_in(x, 2) / mean_in(x, 1)), x, V)
  if (family == "binomial") add(outcome, "log odds ratio", function(x) qlogis(mean_in(x, 2)) - qlogis(mean_in(x, 1)), x, V)
}
generalised("asks", asks ~ arm + pre + sex + (1 | institution_id), "binomial", plogis)
d$beyond <- as.integer(d$points >= 5)  # the third band, or the fourth
generalised("beyond", beyond ~ arm + pre + sex + (1 | institution_id), "binomial", plogis)
# bands that the arm does not move alike: each by itself, and the test of it, with the arm's own effect on each threshold
d$gathered_band <- cut(d$gathered, c(-Inf, 2.5, 4.5, 6.5, Inf), labels = c("< 3", "3 - 5", "5 - 7", ">= 7"), ordered_result = TRUE)
for (k in 1:4) {
  d$inside <- as.integer(d$gathered_band == levels(d$gathered_band)[k])
  generalised(paste("gathered", k), inside ~ arm + pre + sex + (1 | institution_id), "binomial", plogis)
}
same <- clmm2(gathered_band ~ arm + pre + sex, random = institution_id, data = d, Hess = FALSE, nAGQ = 15)
own <- clmm2(gathered_band ~ pre + sex, nominal = ~ arm, random = institution_id, data = d, Hess = FALSE, nAGQ = 15)
out <- rbind(out, data.frame(outcome = "gathered", quantity = "chi-square", estimate = as.numeric(2 * (logLik(own) - logLik(same))), std_error = NA))
generalised("incidents", incidents ~ arm + pre + sex + (1 | institution_id), "poisson", exp)
fit <- clmm(band ~ arm + pre + sex + (1 | institution_id), data = d, nAGQ = 15, control = clmm.control(gradTol = 1e-8))
X <- lapply(c(0, 1), function(a) cbind(a, d$pre, as.integer(d$sex == "girl")))
loglik <- function(x) { # thresholds, coefficients, sd: by the same trapezoid sum
  eta <- drop(cbind(d$arm == "intervention", d$pre, d$sex == "girl") %*% x[4:6]); k <- as.integer(d$band); c <- c(-Inf, x[1:3], Inf)
  p <- sapply(z, function(u) log(plogis(c[k + 1] - eta - x[7] * u) - plogis(c[k] - eta - x[7] * u)))
  s <- rowsum(p, d$institution_id); top <- apply(s, 1, max)
  -sum(top + log(exp(s - top) %*% w))
}
x <- optim(c(fit$Theta, fit$beta, unlist(fit$ST)), loglik, method = "BFGS", control = list(reltol = 1e-14, maxit = 500))$par
V <- solve(hessian(loglik, x))
share <- function(x, a, k) { c <- c(-Inf, x[1:3], Inf); over(function(e) plogis(c[k + 1] - e) - plogis(c[k] - e), drop(X[[a]] %*% x[4:6]), abs(x[7])) }
for (k in 1:4) {
  add("bands", paste("reference", levels(d$band)[k]), function(x) share(x, 1, k), x, V)
  add("bands", paste("intervention", levels(d$band)[k]), function(x) share(x, 2, k), x, V)
  add("bands", paste("difference", levels(d$band)[k]), function(x) share(x, 2, k) - share(x, 1, k), x, V)
}
add("bands", "log odds ratio", function(x) x[4], x, V)
written <- format(out, digits = 12); written[is.na(out)] <- ""
write.csv(written, "reference.csv", row.names = FALSE, quote = TRUE)
