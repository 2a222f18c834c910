# Percent of the maximum possible with reversed items, by plain R arithmetic, for the four instruments on the organisation.
# Scales are told by the first part of an item's name. Writes one data and one reference file per instrument (synthetic answers).
# Made with R 4.2.2, base packages only. Run from this folder: Rscript make_reference.R
set.seed(20080901)
n <- 80
write <- function(frame, file) write.csv(frame, file, row.names = FALSE, na = "", quote = FALSE)
draw <- function(items) {
  answers <- as.data.frame(matrix(sample(1:5, n * length(items), replace = TRUE), n, dimnames = list(NULL, items)))
  answers[matrix(runif(n * length(items)), n) < rep(c(0, 0.15, 0.5, 0.9), each = n / 4)] <- NA
  answers
}
percent <- function(answers, items, minimum, turned = character()) {
  part <- 25 * (answers[items] - 1)
  for (item in intersect(items, turned)) part[[item]] <- 100 - part[[item]]
  ifelse(rowSums(!is.na(part)) >= minimum, rowMeans(part, na.rm = TRUE), NA)
}
named <- function(prefix, ...) paste0(prefix, "_", c(...))

outside <- named("source", "institutions", "companies", "abroad", "contacts", "networks", "municipalities")
inside <- named("source", "staff", "parents", "children", "board")
comparing <- named("compare", "to_learn", "to_win")
ways <- named("way", "acting", "opening", "experimenting", "focusing", "correcting", "questioning")
barriers <- named("barrier", "risk", "habits", "managers", "team", "culture", "structure", "media", "politics", "keeping")
safety <- named("safe", "mistakes", "fear", "blame", "shame", "trust")
leadership <- named("lead", "ideas", "time", "direction", "responsibility", "municipality")
networks <- named("network", "time", "few", "sharing", "facade")
a <- draw(c(outside, inside, comparing, ways, barriers, safety, leadership, networks))
write(a, "organisational-learning.csv")
turned <- named("safe", "fear", "blame", "shame")
write(format(data.frame(
  sources_outside = percent(a, outside, 4), sources_inside = percent(a, inside, 3), comparing = percent(a, comparing, 2),
  ways = percent(a, ways, 4), barriers = percent(a, barriers, 6), safety = percent(a, safety, 4, turned),
  leadership = percent(a, leadership, 4), network_problems = percent(a, networks, 3)
), digits = 15, trim = TRUE), "organisational-learning.reference.csv")

convener <- named("convene", "people", "roles", "dependence", "support", "direction")
facilitator <- named("facilitate", "meeting", "trust", "frame", "conflict", "obstacles")
catalyst <- named("catalyse", "urgency", "view", "search", "risk", "ambassadors")
a <- draw(c(convener, facilitator, catalyst))
write(a, "collaborative-innovation.csv")
write(format(data.frame(
  convener = percent(a, convener, 4), facilitator = percent(a, facilitator, 4), catalyst = percent(a, catalyst, 4)
), digits = 15, trim = TRUE), "collaborative-innovation.reference.csv")

pairs <- c("steering", "parents", "institutions", "new_ideas", "manager", "effort")
a <- draw(pairs)
write(a, "governance-npm-npg.csv")
write(format(data.frame(npg = percent(a, pairs, 4, c("parents", "new_ideas", "effort"))), digits = 15, trim = TRUE),
      "governance-npm-npg.reference.csv")

phases <- c("design", "analysis", "development", "launch")
resources <- c("knowledge", "organisation", "material")
bricolage <- named("bricolage", "at_hand", "new_use", "start")
formal <- named("formal", "steps", "aims", "review")
direction <- named("direction", "challenge", "arena", "strategy", "municipality")
blocks <- unlist(lapply(c(resources, "staff", "parents"), function(r) named(r, phases)))
a <- draw(c(blocks, bricolage, formal, direction, "cyclic"))
a$idea_from <- sample(1:4, n, replace = TRUE)
write(a, "innovation-practice.csv")
by_row <- lapply(setNames(nm = c(resources, "staff", "parents")), function(r) percent(a, named(r, phases), 3))
by_phase <- lapply(setNames(nm = phases), function(p) percent(a, paste0(resources, "_", p), 2))
write(format(data.frame(by_row, by_phase, bricolage = percent(a, bricolage, 2), formal = percent(a, formal, 2),
                        direction = percent(a, direction, 3)), digits = 15, trim = TRUE), "innovation-practice.reference.csv")
