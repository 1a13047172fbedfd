#!/bin/sh
# Drop-in for the wrapper of this name: `ai-entrypoint.sh CMD ARGS...`, with the same environment.
pystoker --version > /dev/null 2>&1 && exec pystoker exec -- "$@"
exec "$@" # no pystoker here, or it cannot run: the program runs all the same
