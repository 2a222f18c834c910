# R 4.2.2, MASS 7.3, lme4 1.1-31, clubSandwich 0.5.8. Run in this folder: Rscript make_reference.R
suppressMessages({library(MASS); library(lme4); library(clubSandwich)})
d <- read.csv("data.csv", na.strings = "", stringsAsFactors = FALSE)
out <- data.frame(name = character(), value = numeric())
put <- function(name, value) out <<- rbind(out, data.frame(name = name, value = value))
d$girl <- as.numeric(d$sex == "girl")
d$treated <- as.numeric(d$arm == "intervention")

# Omnibus: Mahalanobis length of the differences of institution means, over all 20 x 20 allocations of two strata of six.
means <- aggregate(cbind(girl, hours, y1) ~ institution + municipality + treated, d, mean, na.rm = TRUE, na.action = na.pass)
means$size <- as.numeric(table(d$institution)[means$institution])
means <- means[order(means$institution), ]
X <- scale(as.matrix(means[, c("size", "girl", "hours", "y1")]))
difference <- function(treated) colMeans(X[treated == 1, ]) - colMeans(X[treated == 0, ])
every <- list()
north <- which(means$municipality == "North"); south <- which(means$municipality == "South")
for (a in combn(north, 3, simplify = FALSE)) for (b in combn(south, 3, simplify = FALSE)) {
  z <- numeric(12); z[c(a, b)] <- 1; every[[length(every) + 1]] <- z
}
D <- t(sapply(every, difference))
S <- crossprod(scale(D, scale = FALSE)) / nrow(D)
d2 <- function(x) { v <- x - colMeans(D); drop(t(v) %*% ginv(S) %*% v) }
observed <- d2(difference(means$treated)); lengths <- apply(D, 1, d2)
put("omnibus_statistic", observed); put("omnibus_p", mean(lengths >= observed - 1e-9))
put("omnibus_draws", nrow(D))

# Institution means of the baseline score, by arm, and their standardised difference.
for (arm in 0:1) { v <- means$y1[means$treated == arm]; put(paste0("mean_y1_", arm), mean(v)); put(paste0("sd_y1_", arm), sd(v)) }

# Baseline equivalence of the children analysed, What Works Clearinghouse 5.0.
a <- d[complete.cases(d[, c("y1", "y2", "sex", "hours")]), ]
fit <- lmer(y1 ~ arm + municipality + (1 | institution), a,
            control = lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-12), check.conv.grad = "ignore"))
v <- as.data.frame(VarCorr(fit))$vcov
rho <- v[1] / sum(v)
put("icc", rho)
b <- mean(a$y1[a$treated == 1]) - mean(a$y1[a$treated == 0])
s <- summary(lm(y1 ~ treated, a))$sigma
N <- nrow(a); M <- length(unique(a$institution)); n <- N / M
h <- ((N - 2) - 2 * (n - 1) * rho)^2 /
  ((N - 2) * (1 - rho)^2 + n * (N - 2 * n) * rho^2 + 2 * (N - 2 * n) * rho * (1 - rho))
put("g", (1 - 3 / (4 * h - 1)) * sqrt(1 - 2 * (n - 1) * rho / (N - 2)) * b / s)
put("g_children", N)

# What predicts being without y2: linear probability models, CR2, institutions as clusters.
d$missing <- as.numeric(is.na(d$y2))
m <- d[complete.cases(d[, c("sex", "hours", "y1")]), ]
row <- function(prefix, fit, cluster, term) {
  t <- coef_test(fit, vcov = "CR2", cluster = cluster); i <- rownames(t) == term
  put(paste0(prefix, "_estimate"), t$beta[i]); put(paste0(prefix, "_se"), t$SE[i])
  put(paste0(prefix, "_df"), t$df_Satt[i]); put(paste0(prefix, "_p"), t$p_Satt[i])
}
row("difference", lm(missing ~ treated, m), m$institution, "treated")
for (arm in 0:1) {
  part <- m[m$treated == arm, ]
  fit <- lm(missing ~ girl + hours + y1, part)
  for (term in c("girl", "hours", "y1")) row(paste0(term, "_", arm), fit, part$institution, term)
  put(paste0("children_", arm), nrow(part)); put(paste0("missing_", arm), sum(part$missing))
}
whole <- lm(missing ~ treated * (girl + hours + y1), m)
w <- Wald_test(whole, constraints = constrain_zero("treated:", reg_ex = TRUE), vcov = "CR2", cluster = m$institution, test = "HTZ")
put("interaction_F", w$Fstat); put("interaction_df", w$df_denom); put("interaction_p", w$p_val)

out$value <- sprintf("%.15g", out$value)
write.csv(out, "reference.csv", row.names = FALSE, quote = FALSE)
