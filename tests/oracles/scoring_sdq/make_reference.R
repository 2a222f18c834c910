# Scores of the SDQ, teacher form 4-17, by plain R arithmetic. Writes data.csv (synthetic answers) and reference.csv.
# Made with R 4.2.2, base packages only. Run from this folder: Rscript make_reference.R
set.seed(20060901)
n <- 240
items <- c("consid", "restles", "somatic", "shares", "tantrum", "loner", "obeys", "worries", "caring", "fidgety", "friend",
           "fights", "unhappy", "popular", "distrac", "clingy", "kind", "lies", "bullied", "helpout", "reflect", "steals",
           "oldbest", "afraid", "attends")
answers <- as.data.frame(matrix(sample(0:2, n * 25, replace = TRUE), n, dimnames = list(NULL, items)))
blank <- rep(c(0, 0.1, 0.25, 0.5), each = n / 4) # a quarter of the rows complete, a quarter mostly too thin to score
answers[matrix(runif(n * 25), n) < blank] <- NA
answers[n, ] <- NA
write.csv(answers, "data.csv", row.names = FALSE, na = "", quote = FALSE)

turned <- answers
for (item in c("obeys", "friend", "popular", "reflect", "attends")) turned[[item]] <- 2 - answers[[item]]

# Five times the mean of a answered items with sum s, rounded half up, in whole numbers: (10 s + a) div (2 a).
scale_score <- function(row) {
  a <- sum(!is.na(row))
  if (a < 3) return(NA)
  (10 * sum(row, na.rm = TRUE) + a) %/% (2 * a)
}
by_item <- function(...) apply(turned[, c(...)], 1, scale_score)
out <- data.frame(
  emotion = by_item("somatic", "worries", "unhappy", "clingy", "afraid"),
  conduct = by_item("tantrum", "obeys", "fights", "lies", "steals"),
  hyper = by_item("restles", "fidgety", "distrac", "reflect", "attends"),
  peer = by_item("loner", "friend", "popular", "bullied", "oldbest"),
  prosocial = by_item("consid", "shares", "caring", "kind", "helpout")
)
out$total <- out$emotion + out$conduct + out$hyper + out$peer
out$internalising <- out$emotion + out$peer
out$externalising <- out$conduct + out$hyper

# Four bands of the teacher form, PMC4830858 table 1: highest score of the first three bands.
raised <- c("close_to_average", "slightly_raised", "high", "very_high")
lowered <- c("very_low", "low", "slightly_lowered", "close_to_average")
bands <- function(score, tops, names) as.character(cut(score, c(-1, tops, 99), names))
out$emotion_band <- bands(out$emotion, c(3, 4, 5), raised)
out$conduct_band <- bands(out$conduct, c(2, 3, 4), raised)
out$hyper_band <- bands(out$hyper, c(5, 7, 8), raised)
out$peer_band <- bands(out$peer, c(2, 4, 5), raised)
out$prosocial_band <- bands(out$prosocial, c(3, 4, 5), lowered)
out$total_band <- bands(out$total, c(11, 15, 18), raised)
write.csv(out, "reference.csv", row.names = FALSE, na = "", quote = FALSE)
