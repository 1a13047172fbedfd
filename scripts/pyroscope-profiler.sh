#!/bin/sh
# Drop-in for the profiler of this name: `pyroscope-profiler.sh SERVICE URL INTERVAL`; it logs to stderr.
exec pystoker push --match 'python|uvicorn' ${1:+--app "$1"} ${2:+--url "$2"} ${3:+--interval "$3"}
