# Impact of the SDQ, teacher and parent form, by plain R arithmetic. Writes data.csv (synthetic answers) and reference.csv.
# Made with R 4.2.2, base packages only. Run from this folder: Rscript make_reference.R
set.seed(20070901)
n <- 300
items <- c("ebddiff", "distres", "imphome", "impfrie", "impclas", "impleis", "chronic", "burden")
answers <- as.data.frame(matrix(sample(0:3, n * length(items), replace = TRUE), n, dimnames = list(NULL, items)))
blank <- rep(c(0, 0.05, 0.3), each = n / 3)
answers[matrix(runif(n * length(items)), n) < blank] <- NA
# half of those who see no difficulties left the rest empty, as the form asks; the others answered all the same
quiet <- which(answers$ebddiff == 0)
answers[quiet[seq(1, length(quiet), 2)], -1] <- NA
write.csv(answers, "data.csv", row.names = FALSE, na = "", quote = FALSE)

worth <- function(x) pmax(x - 1, 0) # 0 0 1 2
impact <- function(keys) {
  summed <- Reduce(`+`, lapply(answers[keys], worth)) # missing if any is
  ifelse(answers$ebddiff %in% 0, 0, summed)
}
out <- data.frame(
  teacher = impact(c("distres", "impfrie", "impclas")),
  parent = impact(c("distres", "imphome", "impfrie", "impclas", "impleis"))
)
write.csv(out, "reference.csv", row.names = FALSE, na = "", quote = FALSE)
