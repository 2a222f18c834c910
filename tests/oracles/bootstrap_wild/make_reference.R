# The wild cluster bootstrap in rows: null imposed, Webb's numbers given in numbers.csv, CR1 by clubSandwich. Run here:
#   Rscript make_reference.R        (R 4.2.2, clubSandwich 0.5.8)
suppressPackageStartupMessages(library(clubSandwich))
d <- read.csv("data.csv"); v <- as.matrix(read.csv("numbers.csv"))
d$arm <- factor(d$arm, levels = c("reference", "intervention"))
t_of <- function(d, delta) {
  fit <- lm(y ~ arm + base, d)
  (coef(fit)[2] - delta) / sqrt(vcovCR(fit, cluster = d$inst, type = "CR1")[2, 2])
}
out <- data.frame()
for (delta in c(0, 0.3)) {
  moved <- d; moved$y <- d$y - delta * (d$arm == "intervention")
  null <- lm(y ~ base, moved)
  t <- sapply(seq_len(nrow(v)), function(r) {
    e <- d
    e$y <- fitted(null) + delta * (d$arm == "intervention") + v[r, d$inst] * residuals(null)
    t_of(e, delta)
  })
  out <- rbind(out, data.frame(delta = delta, draw = 0:nrow(v), t = c(t_of(d, delta), t)))
}
write.csv(format(out, digits = 12), "reference.csv", row.names = FALSE, quote = FALSE)
