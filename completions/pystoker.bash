# bash completion for pystoker. Made by `make update-options` from the option tables in src/cmd/; do not edit.
# shellcheck shell=bash
_pystoker()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words=''
	local commands='record dump help'

	COMPREPLY=()
	# --format=raw arrives as three words
	[ "$cur" != = ] || { prev='='; cur=''; COMP_CWORD=$((COMP_CWORD + 1)); }
	[ "$prev" != = ] || prev=${COMP_WORDS[COMP_CWORD-2]}
	if [ "$COMP_CWORD" -le 1 ]; then
		words="$commands --help -h --version -V"
	else case ${COMP_WORDS[1]} in
	record)
		case $prev in
		--pid | -p) words=$(cd /proc && echo [0-9]*) ;;
		--duration | -d) return ;;
		--rate | -r) return ;;
		--output | -o) compopt -o default; return ;;
		--format | -f) words='flamegraph raw speedscope pprof chrometrace' ;;
		--placement) words='auto on-cpu off-cpu' ;;
		*) case $cur in
		-*) words=' --pid -p --duration -d --rate -r --gil -g --idle -i --output -o --format -f --threads -t --function -F --nolineno --full-filenames --nonblocking --blocking --placement --help -h' ;;
		*) compopt -o default; return ;;
		esac ;;
		esac ;;
	dump)
		case $prev in
		--pid | -p) words=$(cd /proc && echo [0-9]*) ;;
		*) case $cur in
		-*) words=' --pid -p --json -j --full-filenames --nonblocking --blocking --help -h' ;;
		*) return ;;
		esac ;;
		esac ;;
	help)
		case $prev in
		*) case $cur in
		-*) words=' --help -h' ;;
		*) words=$commands ;;
		esac ;;
		esac ;;
	esac fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -F _pystoker pystoker
