# Reference values for normal-normal shrinkage with known sampling variances, by REML.
# Run in this folder: Rscript make_reference.R   (R 4.2.2, metafor 3.8-1)
suppressMessages(library(metafor))
set.seed(20060901)

settings <- list(
  wide     = list(m = 60, tau = 8,   v = c(4, 40)),
  narrow   = list(m = 60, tau = 2,   v = c(9, 60)),
  few      = list(m = 6,  tau = 5,   v = c(2, 90)),
  uneven   = list(m = 30, tau = 4,   v = c(0.2, 300)),
  none     = list(m = 40, tau = 0,   v = c(25, 50), less = 0.8),
  equal    = list(m = 12, tau = 6,   v = c(10, 10))
)
data <- do.call(rbind, lapply(names(settings), function(name) {
  s <- settings[[name]]
  v <- round(runif(s$m, s$v[1], s$v[2]), 3)
  less <- if (is.null(s$less)) 1 else s$less  # errors smaller than v says: the estimate of tau2 is 0
  data.frame(set = name, y = round(rnorm(s$m, -5, less * sqrt(s$tau^2 + v)), 3), v = v)
}))
write.csv(data, "data.csv", row.names = FALSE)

reference <- do.call(rbind, lapply(split(data, factor(data$set, names(settings))), function(d) {
  fit <- rma(d$y, d$v, method = "REML", control = list(threshold = 1e-14, maxiter = 10000, stepadj = 0.5))
  b <- blup(fit, digits = 15)
  data.frame(set = d$set, mean = as.numeric(fit$b), mean_se = fit$se, tau2 = fit$tau2,
             estimate = b$pred, se = b$se, low = b$pi.lb, high = b$pi.ub)
}))
write.csv(format(reference, digits = 15, trim = TRUE), "reference.csv", row.names = FALSE, quote = FALSE)
