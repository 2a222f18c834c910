# Rank-normalised split R-hat and bulk effective draws of three quantities in four chains of 60 draws.
# Run in this folder: Rscript make_reference.R   (R 4.2.2, posterior 1.4.0)
suppressMessages(library(posterior))
set.seed(1)
x <- array(rnorm(60 * 4 * 3), c(60, 4, 3))
for (t in 2:60) x[t, , 2] <- 0.8 * x[t - 1, , 2] + 0.6 * x[t, , 2]   # slow
x[, 1, 3] <- x[, 1, 3] + 1; x[, , 3] <- exp(x[, , 3])                # one chain elsewhere, and skewed
draws <- data.frame(chain = rep(1:4, each = 60), round(sapply(1:3, function(k) as.vector(x[, , k])), 6))
names(draws) <- c("chain", "independent", "slow", "apart"); write.csv(draws, "draws.csv", row.names = FALSE)
own <- sapply(draws[-1], function(v) {m <- matrix(v, 60); c(rhat = rhat(m), effective_draws = ess_bulk(m))})
write.csv(data.frame(quantity = colnames(own), format(t(own), digits = 15)), "reference.csv", row.names = FALSE)
