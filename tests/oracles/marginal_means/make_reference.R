# Writes means.csv and equations.csv from ../trial_shares/data.csv.
# Rscript make_reference.R; written under R 4.2.2, lme4 1.1-31, pbkrtest 0.5.2, ordinal 2022.11-16, emmeans 1.8.4-1, geepack 1.3.9.
suppressMessages({library(lme4); library(lmerTest); library(ordinal); library(emmeans); library(geepack)})
d <- read.csv("../trial_shares/data.csv", stringsAsFactors = TRUE)
d$arm <- relevel(d$arm, "reference"); d$inst <- as.integer(d$institution_id); d$third <- factor(c("a", "b", "c")[d$inst %% 3 + 1])
d$band <- cut(d$points, c(-Inf, 2.5, 4.5, 6.5, Inf), labels = c("b1", "b2", "b3", "b4"), ordered_result = TRUE)
emm_options(lmer.df = "kenward-roger")
out <- NULL
keep <- function(name, grid) {
  s <- as.data.frame(summary(grid, infer = c(TRUE, TRUE)))
  low <- grep("lower.CL|asymp.LCL", names(s)); up <- grep("upper.CL|asymp.UCL", names(s)); label <- seq_len(grep("^SE$", names(s)) - 2)
  out <<- rbind(out, data.frame(name = name, label = apply(s[label], 1, function(r) paste(trimws(r), collapse = ", ")),
    estimate = s[[max(label) + 1]], std_error = s$SE, df = s$df, p_value = s$p.value, conf_low = s[[low]], conf_high = s[[up]]))
}
linear <- lmer(points ~ third * sex + pre + (1 | institution_id), d)
keep("means", emmeans(linear, ~ third)); keep("proportional", emmeans(linear, ~ third, weights = "proportional"))
keep("by sex", emmeans(linear, ~ third | sex)); keep("tukey", pairs(emmeans(linear, ~ third), adjust = "tukey"))
keep("holm", pairs(emmeans(linear, ~ third), adjust = "holm"))
keep("interaction", contrast(emmeans(linear, ~ third * sex), interaction = "pairwise"))
slopes <- lmer(points ~ third * pre + sex + (1 | institution_id), d)
keep("slopes", emtrends(slopes, ~ third, var = "pre"))
yes <- glmer(asks ~ third * sex + pre + (1 | institution_id), d, binomial, nAGQ = 15, control = glmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-9)))
keep("response", emmeans(yes, ~ third, type = "response")); keep("odds ratios", pairs(emmeans(yes, ~ third, type = "response"), adjust = "none"))
bands <- clmm(band ~ third + pre + (1 | institution_id), data = d, nAGQ = 15, control = clmm.control(gradTol = 1e-8))
keep("shares", emmeans(bands, ~ third | band, mode = "prob")); keep("mean class", emmeans(bands, ~ third, mode = "mean.class"))
out[-(1:2)] <- lapply(out[-(1:2)], function(x) trimws(format(x, digits = 12)))
write.csv(out, "means.csv", row.names = FALSE)
g <- geeglm(asks ~ arm + pre + sex, binomial, d, id = inst, corstr = "independence", control = geese.control(epsilon = 1e-13, maxit = 100))
s <- summary(g)$coefficients
write.csv(data.frame(term = rownames(s), estimate = format(s$Estimate, digits = 12), std_error = format(s$Std.err, digits = 12)), "equations.csv", row.names = FALSE)
