# Prints what bash offers for the line $1, cut into words as readline does: at blanks and at "=".
# shellcheck shell=bash
compopt() { :; } # works only within a real completion
# shellcheck source=completions/pystoker.bash
. "$TOP/completions/pystoker.bash"
read -ra COMP_WORDS <<< "${1//=/ = }"
[[ $1 != *' ' && $1 != *= ]] || COMP_WORDS+=('')
[[ $1 != *= ]] || unset 'COMP_WORDS[-1]'
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_pystoker
printf '%s\n' "${COMPREPLY[@]}"
