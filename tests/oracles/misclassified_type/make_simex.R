# Effects by a type coded with errors, by MCSIMEX: the second oracle of corrected_effects.
#
#   Rscript make_simex.R        # needs the package simex of CRAN; writes simex.csv beside this file
#
# MCSIMEX (Kuechenhoff, Mwalili & Lesaffre 2006) adds more and more coding errors, fits the model again each time, and extrapolates to
# none. It shares no formula with the matrix method, and is approximate: the extrapolation is a parabola.

library(simex)

rows <- read.csv("data.csv")
types <- c("I", "II", "III")
confusions <- list(
  coder1 = matrix(c(.80, .15, .05, .10, .80, .10, .05, .20, .75), 3, byrow = TRUE),
  coder2 = matrix(c(.70, .25, .05, .15, .70, .15, .05, .15, .80), 3, byrow = TRUE)
)
found <- NULL
for (coder in names(confusions)) {
  rows$code <- factor(rows[[coder]], types)
  seen <- lm(y ~ 0 + code + code:arm, rows, x = TRUE)
  errors <- t(confusions[[coder]])  # simex has a column for each true type
  dimnames(errors) <- list(types, types)
  set.seed(8901)
  fit <- mcsimex(seen, "code", errors, B = 2000, asymptotic = FALSE)
  effects <- paste0("code", types, ":arm")
  found <- rbind(found, data.frame(
    coder, type = types, naive = coef(seen)[effects], estimate = coef(fit)[effects],
    std_error = sqrt(diag(fit$variance.jackknife))[effects]
  ))
}
write.csv(format(found, digits = 12), "simex.csv", row.names = FALSE, quote = FALSE)
cat(R.version.string, "simex", as.character(packageVersion("simex")), "\n")
