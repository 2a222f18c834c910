# Writes the synthetic SAS files beside this script (haven 2.5): Rscript write.R
library(haven)
frame <- data.frame(
  id = c("007", "008", "Aase"),
  answer = c(1, 9, NA),
  amount = c(0.1, -99, 7),
  day = as.Date(c("2006-09-01", NA, "1955-01-02")),
  when = as.POSIXct(c("2006-09-01 10:05:05", NA, "2006-09-01 00:00:00"), tz = "UTC")
)
attr(frame$answer, "label") <- "Hvordan gaar det?"
suppressWarnings(write_sas(frame, "synthetic.sas7bdat"))
write_xpt(frame, "synthetic_v5.xpt", version = 5)
write_xpt(frame, "synthetic_v8.xpt", version = 8)
