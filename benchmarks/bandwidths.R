# Bandwidths by R's selectors and by the package ks, for samples that Python has drawn.
#
#   Rscript benchmarks/bandwidths.R FOLDER
#
# FOLDER/sizes.txt has the size of each sample, FOLDER/samples.bin all of them in turn as float64. What is written is
# FOLDER/bandwidths.csv with a line for each sample and selector (NA where R gives an error), and FOLDER/versions.txt.

suppressMessages(library(ks))

folder <- commandArgs(trailingOnly = TRUE)[1]
selectors <- list(
  bw.nrd0 = bw.nrd0,
  bw.nrd = bw.nrd,
  bw.ucv = bw.ucv,
  bw.bcv = bw.bcv,
  "bw.SJ-ste" = function(x) bw.SJ(x, method = "ste"),
  "bw.SJ-dpi" = function(x) bw.SJ(x, method = "dpi"),
  hpi = hpi,
  hscv = hscv
)

sizes <- scan(file.path(folder, "sizes.txt"), quiet = TRUE)
samples <- file(file.path(folder, "samples.bin"), "rb")
rows <- list()
for (i in seq_along(sizes)) {
  x <- readBin(samples, "double", sizes[i])
  for (name in names(selectors)) {
    start <- proc.time()[["elapsed"]]
    h <- tryCatch(suppressWarnings(selectors[[name]](x)), error = function(e) NA)
    if (length(h) != 1 || !is.finite(h) || h <= 0) h <- NA
    seconds <- proc.time()[["elapsed"]] - start
    rows[[length(rows) + 1]] <- sprintf("%d,%s,%.17g,%.3f", i - 1, name, h, seconds)
  }
}
close(samples)
writeLines(c("sample,selector,bandwidth,seconds", unlist(rows)), file.path(folder, "bandwidths.csv"))
versions <- c(paste(R.version$major, R.version$minor, sep = "."), as.character(packageVersion("ks")))
writeLines(versions, file.path(folder, "versions.txt"))
