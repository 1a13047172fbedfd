# Prints what fish offers for the line given, without the descriptions.
source $TOP/completions/pystoker.fish
complete -C "$argv[1]" | string replace -r '\t.*' ''
