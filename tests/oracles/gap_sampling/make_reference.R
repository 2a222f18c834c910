# Reference values for the sampling variances behind a GAP-profile.
# Run in this folder: Rscript make_reference.R   (R 4.2.2, lme4 1.1-31)
#
# balanced: REML (lme4) equals the analysis of variance where the components are positive.
# unbalanced: mean squares from lm(), their expectations from traces of the projection matrices, variances of means as
# a'Va with V written out; no closed formula of the package is used.
suppressMessages(library(lme4))
set.seed(20080531)

make <- function(set, raters, children) {
  rows <- list(); staff <- list()
  for (j in seq_along(raters)) {
    for (k in seq_len(raters[j])) {
      own <- rnorm(1); lenient <- 0.6 * own + 0.8 * rnorm(1)
      person <- sprintf("p%02d_%02d", j, k)
      staff[[length(staff) + 1]] <- data.frame(set = set, institution_id = sprintf("i%02d", j), respondent_id = person,
                                               score = round(60 + 3 * (j %% 5) + 12 * own, 2))
      n <- children(k)
      if (n > 0) rows[[length(rows) + 1]] <- data.frame(set = set, institution_id = sprintf("i%02d", j), rater_id = person,
                                                         score = round(pmin(99, pmax(1, 55 + 2 * (j %% 4) + 7 * lenient + rnorm(n, 0, 15))), 2))
    }
  }
  list(staff = do.call(rbind, staff), children = do.call(rbind, rows))
}
balanced <- make("balanced", rep(6, 20), function(k) 5)
unbalanced <- make("unbalanced", sample(5:10, 25, TRUE), function(k) if (k %% 7 == 0) 0 else sample(1:12, 1))

reference <- function(part) {
  ch <- part$children; st <- part$staff
  ch$i <- factor(ch$institution_id); ch$r <- factor(ch$rater_id)
  X <- model.matrix(~ 0 + i, ch); Z <- model.matrix(~ 0 + r, ch); N <- nrow(ch)
  PX <- X %*% solve(crossprod(X), t(X)); PZ <- Z %*% solve(crossprod(Z), t(Z))
  y <- ch$score
  ssw <- deviance(lm(score ~ 0 + r, ch)); ssb <- deviance(lm(score ~ 0 + i, ch)) - ssw
  dfw <- N - ncol(Z); dfb <- ncol(Z) - ncol(X)
  sigma_e <- ssw / dfw
  # E(ssb) = sigma_r tr(Z'(PZ - PX)Z) + sigma_e dfb
  sigma_r <- (ssb - dfb * sigma_e) / sum(diag(t(Z) %*% (PZ - PX) %*% Z))
  V <- sigma_r * tcrossprod(Z) + sigma_e * diag(N)
  A <- sweep(X, 2, colSums(X), "/")
  child_variance <- diag(t(A) %*% V %*% A)

  st$i <- factor(st$institution_id, levels(ch$i))
  own <- lm(score ~ 0 + i, st); sigma_a <- sigma(own)^2
  staff_variance <- sigma_a / as.numeric(table(st$i))

  means <- aggregate(score ~ rater_id + i, ch, mean); names(means)[3] <- "given"
  linked <- merge(st, means[, c("rater_id", "given")], by.x = "respondent_id", by.y = "rater_id")
  both <- lm(cbind(score, given) ~ 0 + i, linked)
  sigma_ar <- (crossprod(residuals(both)) / df.residual(both))[1, 2]
  # Cov(a'x, b's): person by person
  B <- model.matrix(~ 0 + i, st); B <- sweep(B, 2, colSums(B), "/")
  same <- outer(ch$rater_id, st$respondent_id, "==") * sigma_ar
  covariance <- diag(t(A) %*% same %*% B)
  data.frame(set = ch$set[1], institution_id = levels(ch$i), sigma_a = sigma_a, sigma_r = sigma_r, sigma_e = sigma_e,
             staff_variance = staff_variance, child_variance = child_variance, covariance = covariance)
}
b <- reference(balanced)
fit <- lmer(score ~ 0 + institution_id + (1 | rater_id), balanced$children, control = lmerControl(optCtrl = list(xtol_rel = 1e-12, ftol_abs = 1e-14)))
vc <- as.data.frame(VarCorr(fit))$vcov
stopifnot(abs(vc[1] / b$sigma_r[1] - 1) < 1e-4)
b$sigma_r_reml <- vc[1]; b$sigma_e_reml <- vc[2]
u <- reference(unbalanced); u$sigma_r_reml <- NA; u$sigma_e_reml <- NA
write.csv(rbind(balanced$staff, unbalanced$staff), "staff.csv", row.names = FALSE, quote = FALSE)
write.csv(rbind(balanced$children, unbalanced$children), "children.csv", row.names = FALSE, quote = FALSE)
write.csv(format(rbind(b, u), digits = 15, trim = TRUE), "reference.csv", row.names = FALSE, quote = FALSE)
