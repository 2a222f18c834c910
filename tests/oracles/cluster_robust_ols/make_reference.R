# Cluster-robust standard errors, degrees of freedom and joint tests of linear models. Run in this folder:
#   Rscript make_reference.R        (R 4.2.2, clubSandwich 0.5.8)
suppressPackageStartupMessages(library(clubSandwich))
d <- read.csv("data.csv", stringsAsFactors = FALSE)
d$arm <- factor(d$arm)
d$band <- factor(d$band, levels = c("low", "middle", "high"))
d$cluster <- factor(d$cluster)
d$xc <- (d$x - 100) / 15  # with x itself R's results for the dummies are rounding noise

models <- list(
  plain       = list(formula = y ~ arm + x, weights = FALSE, joint = c("armb", "x")),
  interaction = list(formula = y ~ arm * x + band, weights = FALSE, joint = c("bandmiddle", "bandhigh")),
  weighted    = list(formula = y ~ arm + x + band, weights = TRUE, joint = c("armb", "bandmiddle", "bandhigh")),
  dummies     = list(formula = y ~ z + x + cluster, weights = FALSE, joint = c("z", "x")),
  dummies_c   = list(formula = y ~ z + xc + cluster, weights = FALSE, joint = c("z", "xc")),
  dummies_w   = list(formula = y ~ z + xc + cluster, weights = TRUE, joint = c("z", "xc")),
  mean        = list(formula = y ~ 1, weights = FALSE, joint = "(Intercept)")
)
rows <- list(); joints <- list()
for (name in names(models)) {
  m <- models[[name]]
  fit <- if (m$weights) lm(m$formula, d, weights = w) else lm(m$formula, d)
  for (kind in c("CR0", "CR1", "CR1S", "CR2", "CR3")) {
    # with cluster dummies I - H_jj is singular: solve() fails or returns rounding noise
    if (startsWith(name, "dummies") && kind == "CR3") next
    V <- vcovCR(fit, cluster = d$cluster, type = kind)
    t <- coef_test(fit, V, test = "Satterthwaite")
    rows[[length(rows) + 1]] <- data.frame(model = name, kind = kind, term = names(coef(fit)),
      estimate = t$beta, std_error = t$SE, df = t$df, p_value = t$p_Satt)
    C <- diag(length(coef(fit)))[match(m$joint, names(coef(fit))), , drop = FALSE]
    h <- Wald_test(fit, constraints = C, vcov = V, test = "HTZ")
    joints[[length(joints) + 1]] <- data.frame(model = name, kind = kind, terms = paste(m$joint, collapse = "|"),
      statistic = h$Fstat, df_numerator = h$df_num, df_denominator = h$df_denom, p_value = h$p_val)
  }
}
save <- function(x, file) {
  x <- do.call(rbind, x)
  numbers <- sapply(x, is.numeric)
  x[numbers] <- lapply(x[numbers], formatC, digits = 16, format = "g", width = 1)
  write.csv(x, file, row.names = FALSE, quote = FALSE)
}
save(rows, "reference.csv")
save(joints, "reference_joint.csv")
