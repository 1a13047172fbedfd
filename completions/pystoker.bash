# bash completion for pystoker. Made by `make update-options` from the option tables in src/cmd/; do not edit.
# shellcheck shell=bash
_pystoker()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words='' equals=''
	local commands='record dump push exec doctor help'

	COMPREPLY=()
	# --format=raw arrives as three words
	[ "$cur" != = ] || { prev='='; cur=''; COMP_CWORD=$((COMP_CWORD + 1)); }
	[ "$prev" != = ] || { prev=${COMP_WORDS[COMP_CWORD-2]}; equals='='; }
	if [ "$COMP_CWORD" -le 1 ]; then
		words="$commands --help -h --version -V"
	else case ${COMP_WORDS[1]} in
	record)
		[ "$prev$equals" != --native ] || prev=''
		case $prev in
		--pid | -p) words=$(cd /proc && echo [0-9]*) ;;
		--duration | -d) return ;;
		--rate | -r) return ;;
		--output | -o) compopt -o default; return ;;
		--format | -f) words='flamegraph raw speedscope pprof chrometrace' ;;
		--placement) words='auto on-cpu off-cpu' ;;
		--native) words='usual all kernel' ;;
		--unwind) words='auto perf ptrace' ;;
		--unwinder) words='rules libunwind' ;;
		*) case $cur in
		-*) words=' --pid -p --duration -d --rate -r --gil -g --idle -i --output -o --format -f --threads -t --function -F --nolineno --full-filenames --nonblocking --blocking --placement --native -n --unwind --unwinder --debuginfod --help -h' ;;
		*) compopt -o default; return ;;
		esac ;;
		esac ;;
	dump)
		[ "$prev$equals" != --native ] || prev=''
		case $prev in
		--pid | -p) words=$(cd /proc && echo [0-9]*) ;;
		--native) words='usual all kernel' ;;
		--unwind) words='auto perf ptrace' ;;
		--unwinder) words='rules libunwind' ;;
		*) case $cur in
		-*) words=' --pid -p --json -j --full-filenames --nonblocking --blocking --native -n --unwind --unwinder --debuginfod --help -h' ;;
		*) return ;;
		esac ;;
		esac ;;
	push)
		[ "$prev$equals" != --native ] || prev=''
		case $prev in
		--pid | -p) words=$(cd /proc && echo [0-9]*) ;;
		--tree) words=$(cd /proc && echo [0-9]*) ;;
		--match | -m) return ;;
		--replay) compopt -o default; return ;;
		--app | -a) return ;;
		--environment) return ;;
		--label | -l) return ;;
		--interval) return ;;
		--rate | -r) return ;;
		--profiles) words='both cpu wall' ;;
		--native) words='usual all kernel' ;;
		--unwind) words='auto perf ptrace' ;;
		--unwinder) words='rules libunwind' ;;
		--url | -u) return ;;
		--tenant) return ;;
		--auth-file) compopt -o default; return ;;
		--token-file) compopt -o default; return ;;
		--ca-file) compopt -o default; return ;;
		--header | -H) return ;;
		--timeout) return ;;
		--transport) words='push ingest' ;;
		--format | -f) words='pprof speedscope folded' ;;
		--spool) compopt -o default; return ;;
		--spool-size) return ;;
		--spool-age) return ;;
		--log) compopt -o default; return ;;
		--stats-file) compopt -o default; return ;;
		--enabled) return ;;
		*) case $cur in
		-*) words=' --pid -p --tree --match -m --once --replay --app -a --environment --label -l --interval --rate -r --profiles --no-idle --thread-names --merge --native -n --unwind --unwinder --debuginfod --url -u --tenant --auth-file --token-file --ca-file --header -H --timeout --transport --format -f --spool --spool-size --spool-age --log --stats-file --enabled --help -h' ;;
		*) return ;;
		esac ;;
		esac ;;
	exec)
		[ "$prev$equals" != --native ] || prev=''
		case $prev in
		--grace) return ;;
		--app | -a) return ;;
		--environment) return ;;
		--label | -l) return ;;
		--interval) return ;;
		--rate | -r) return ;;
		--profiles) words='both cpu wall' ;;
		--native) words='usual all kernel' ;;
		--unwind) words='auto perf ptrace' ;;
		--unwinder) words='rules libunwind' ;;
		--url | -u) return ;;
		--tenant) return ;;
		--auth-file) compopt -o default; return ;;
		--token-file) compopt -o default; return ;;
		--ca-file) compopt -o default; return ;;
		--header | -H) return ;;
		--timeout) return ;;
		--transport) words='push ingest' ;;
		--format | -f) words='pprof speedscope folded' ;;
		--spool) compopt -o default; return ;;
		--spool-size) return ;;
		--spool-age) return ;;
		--log) compopt -o default; return ;;
		--stats-file) compopt -o default; return ;;
		--enabled) return ;;
		*) case $cur in
		-*) words=' --supervise --grace --app -a --environment --label -l --interval --rate -r --profiles --no-idle --thread-names --merge --native -n --unwind --unwinder --debuginfod --url -u --tenant --auth-file --token-file --ca-file --header -H --timeout --transport --format -f --spool --spool-size --spool-age --log --stats-file --enabled --help -h' ;;
		*) compopt -o default; return ;;
		esac ;;
		esac ;;
	doctor)
		case $prev in
		--pid | -p) words=$(cd /proc && echo [0-9]*) ;;
		--match | -m) return ;;
		--app | -a) return ;;
		--interval) return ;;
		--spool) compopt -o default; return ;;
		--log) compopt -o default; return ;;
		--url | -u) return ;;
		--tenant) return ;;
		--auth-file) compopt -o default; return ;;
		--token-file) compopt -o default; return ;;
		--ca-file) compopt -o default; return ;;
		--header | -H) return ;;
		--timeout) return ;;
		*) case $cur in
		-*) words=' --pid -p --match -m --app -a --interval --local --remote --spool --log --url -u --tenant --auth-file --token-file --ca-file --header -H --timeout --json -j --help -h' ;;
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
