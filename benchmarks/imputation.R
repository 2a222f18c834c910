# Milliseconds a sweep of other imputers of two-level data, CPU, for benchmarks/imputation.py: Rscript imputation.R DATA.csv
suppressMessages({library(jomo); library(pan)})
d <- read.csv(commandArgs(TRUE)[1]); d <- d[order(d$inst), ]; q <- 15
Y <- d[, 1:q]; X <- data.frame(one = 1, d[, c("arm", "male", "age", "siblings")]); g <- d$inst
cpu <- function(f) {t <- proc.time(); f; sum((proc.time() - t)[1:2])}
prior <- list(a = q, Binv = diag(q), c = q, Dinv = diag(q))
by_pan <- function(n) cpu(pan(as.matrix(Y), g, as.matrix(X), 1:5, 1, prior, seed = 1, iter = n))
by_jomo <- function(n) {sink(tempfile()); on.exit(sink()); cpu(jomo1ran(Y = Y, X = X, clus = g, nburn = n, nbetween = n, nimp = 2, output = 0, meth = "common", out.iter = 1e6))}
a <- by_pan(20); b <- by_pan(120); cat(sprintf("pan %.3f\n", (b - a) / 100 * 1000))
a <- by_jomo(5); b <- by_jomo(15); cat(sprintf("jomo %.3f\n", (b - a) / 20 * 1000))
