# Pooled answers of twenty imputed data sets of a simulated cluster trial.
# Run in this folder: Rscript make_reference.R   (R 4.2.2, lme4 1.1-31, pbkrtest 0.5.2, mitml 0.4-4, mice 3.15)
#
# data.csv: 600 children in 30 institutions, with missing values of post (children) and climate (institutions).
# imputed.csv: what was put in for each, by mice (2l.pan, 2lonly.norm), rounded to three decimals: the same values for everybody.
suppressMessages({library(lme4); library(pbkrtest); library(mitml); library(mice); library(jsonlite)})
data <- read.csv("data.csv", stringsAsFactors = FALSE); values <- read.csv("imputed.csv", stringsAsFactors = FALSE)
filled <- lapply(grep("^m", names(values), value = TRUE), function(k) {
  done <- data
  for (v in unique(values$variable)) {
    own <- values[values$variable == v, ]; key <- as.character(data[[own$level[1]]]); gap <- is.na(done[[v]])
    done[[v]][gap] <- own[[k]][match(key[gap], own$id)]
  }
  done
})
m <- length(filled)
kr <- function(fit, terms) {
  V <- as.matrix(vcovAdj(fit)); p <- length(terms)
  df <- sapply(seq_len(p), function(j) {L <- rep(0, p); L[j] <- 1; Lb_ddf(L, vcov(fit), vcovAdj(fit))})
  list(se = sqrt(diag(V)), df = df)
}
one <- function(formula, tested) {
  fits <- lapply(filled, function(d) lmer(formula, d)); terms <- names(fixef(fits[[1]]))
  Q <- t(sapply(fits, fixef)); S <- t(sapply(fits, function(f) sqrt(diag(as.matrix(vcov(f))))))
  K <- lapply(fits, kr, terms)
  table <- function(df.com) {
    t <- testEstimates(model = fits, df.com = df.com)$estimates
    list(estimate = t[, 1], std_error = t[, 2], statistic = t[, 3], df = t[, 4], p_value = t[, 5], riv = t[, 6], fmi = t[, 7])
  }
  d1 <- function(df.com) as.list(testConstraints(fits, constraints = sprintf("`%s`", tested), method = "D1", df.com = df.com)$test[1, ])
  KS <- t(sapply(K, `[[`, "se")); KD <- t(sapply(K, `[[`, "df"))
  by_hand <- lapply(seq_along(terms), function(j) {
    p <- pool.scalar(Q[, j], KS[, j]^2, n = mean(KD[, j]) + 1, k = 1)
    c(estimate = p$qbar, std_error = sqrt(p$t), df = p$df, riv = p$r, fmi = p$fmi)
  })
  tests <- lapply(fits, function(f) unname(as.matrix(vcov(f))[tested, tested]))
  list(covariance = tests, formula = deparse(formula), terms = terms, tested = tested, estimate = unname(Q), std_error = unname(S), kr_se = unname(KS), kr_df = unname(KD),
       pooled = list(none = table(NULL), by_25 = table(25)), pooled_kr = do.call(rbind, by_hand), D1 = list(none = d1(NULL), by_25 = d1(25)))
}
out <- list(
  ancova = one(post ~ arm + base + girl + climate + municipality + (1 | inst), c("girl", "climate")),
  interaction = one(post ~ arm * girl + base + municipality + (1 | inst), c("girl", "arm:girl"))
)
writeLines(toJSON(out, digits = NA, auto_unbox = TRUE), "reference.json")
