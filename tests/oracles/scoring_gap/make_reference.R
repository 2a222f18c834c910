# Scores of gap-competences-child by plain R arithmetic. Writes data.csv (synthetic answers) and reference.csv.
# Made with R 4.2.2, base packages only. Run from this folder: Rscript make_reference.R
set.seed(20080501)
n <- 120
dimensions <- c("self_worth", "emotions", "independence", "play", "empathy", "cooperation", "language", "attention", "curiosity")
items <- paste0(rep(dimensions, each = 3), "_", 1:3)
answers <- as.data.frame(matrix(sample(1:5, n * 27, replace = TRUE), n, dimnames = list(NULL, items)))
blank <- rep(c(0, 0.15, 0.5), each = n / 3)
answers[matrix(runif(n * 27), n) < blank] <- NA
write.csv(answers, "data.csv", row.names = FALSE, na = "", quote = FALSE)

# Each answer as a percent of the way from 1 to 5, then the plain mean of those that are there.
percent <- 25 * (answers - 1)
out <- sapply(dimensions, function(d) {
  part <- percent[, paste0(d, "_", 1:3)]
  ifelse(rowSums(!is.na(part)) >= 2, rowMeans(part, na.rm = TRUE), NA)
})
out <- as.data.frame(out)
out$personal <- rowMeans(out[, dimensions[1:3]])
out$social <- rowMeans(out[, dimensions[4:6]])
out$learning <- rowMeans(out[, dimensions[7:9]])
write.csv(format(out, digits = 15, trim = TRUE), "reference.csv", row.names = FALSE, na = "", quote = FALSE)
