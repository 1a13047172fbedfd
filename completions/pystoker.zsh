#compdef pystoker
# zsh completion for pystoker. Made by `make update-options` from the option tables in src/cmd/; do not edit.
_pystoker_commands() {
	local -a commands=(
		'record:Record where a process spends its time, into a file'
		'dump:Print the stacks of all threads of a process once'
		'push:Profile a service for as long as it lives, and send it to Pyroscope'
		'exec:Run a program with a pusher of its profiles beside it'
		'doctor:Check whether processes can be profiled here, and whether it arrives'
		'help:Explain pystoker or one of its commands'
	)
	_describe command commands
}

# All of them: _pids shows only those of the terminal by itself.
_pystoker_pids() {
	local -a pids=(/proc/<1->(N:t))

	compadd -V pids -a pids
}

_pystoker() {
	local curcontext=$curcontext state line

	_arguments -C \
		'(-h --help)-h[Print this help and exit]' \
		'(-h --help)--help[Print this help and exit]' \
		'(-V --version)-V[Print the version and those of the libraries, and exit]' \
		'(-V --version)--version[Print the version and those of the libraries, and exit]' \
		'1:command:_pystoker_commands' \
		'*::argument:->rest'

	[[ $state == rest ]] || return
	case $line[1] in
	(record)
		_arguments -s -S -A '-*' \
		'(-p --pid)-p+[The running process to look into, in decimal or 0x hex]:PID:_pystoker_pids' \
		'(-p --pid)--pid=[The running process to look into, in decimal or 0x hex]:PID:_pystoker_pids' \
		'(-d --duration)-d+[Stop after so many seconds, fractions allowed; a program that was started goes on]:SECONDS:' \
		'(-d --duration)--duration=[Stop after so many seconds, fractions allowed; a program that was started goes on]:SECONDS:' \
		'(-r --rate)-r+[Samples per second, fractions allowed]:HZ:' \
		'(-r --rate)--rate=[Samples per second, fractions allowed]:HZ:' \
		'(-g --gil)-g[Only the thread that holds the GIL]' \
		'(-g --gil)--gil[Only the thread that holds the GIL]' \
		'(-i --idle)-i[Also threads that sleep or wait]' \
		'(-i --idle)--idle[Also threads that sleep or wait]' \
		'(-o --output)-o+[The file to write, - for stdout]:FILE:_files' \
		'(-o --output)--output=[The file to write, - for stdout]:FILE:_files' \
		'(-f --format)-f+[The format of the file]:FORMAT:(flamegraph raw speedscope pprof chrometrace)' \
		'(-f --format)--format=[The format of the file]:FORMAT:(flamegraph raw speedscope pprof chrometrace)' \
		'(-t --threads)-t[Put the thread in front of each stack]' \
		'(-t --threads)--threads[Put the thread in front of each stack]' \
		'(-F --function --nolineno)-F[Count by function\: show the line where it starts, not the line it is at]' \
		'(-F --function --nolineno)--function[Count by function\: show the line where it starts, not the line it is at]' \
		'(--nolineno)--nolineno[Show no line numbers]' \
		'(--full-filenames)--full-filenames[Show whole paths, not only the part below the package'\''s folder]' \
		'(--nonblocking --blocking)--nonblocking[Never stop the process; this is the default, the option is for py-spy'\''s users]' \
		'(--blocking)--blocking[Stop the process with ptrace for each sample\: exact, and slows it down]' \
		'(--placement)--placement=[Where the sampler wakes\: on the target'\''s CPU, or beside it for very high rates]:WHERE:(auto on-cpu off-cpu)' \
		'(-n --native)-n[Show C, C++, Rust frames between Python'\''s\: usual leaves out the interpreter'\''s own machinery, all shows it too, kernel adds the kernel'\''s frames to usual]' \
		'(-n --native)--native=-[Show C, C++, Rust frames between Python'\''s\: usual leaves out the interpreter'\''s own machinery, all shows it too, kernel adds the kernel'\''s frames to usual]::LEVEL:(usual all kernel)' \
		'(--unwind)--unwind=[How registers are had\: perf, from the kernel'\''s switch records, stops nothing; ptrace stops the running thread for some microseconds; auto takes perf where it is permitted]:WAY:(auto perf ptrace)' \
		'(--unwinder)--unwinder=[What walks the native stack]:ENGINE:(rules libunwind)' \
		'(--debuginfod)--debuginfod[Ask the servers named in DEBUGINFOD_URLS for debug files that are not here]' \
		'(-h --help)-h[Print this help and exit]' \
		'(-h --help)--help[Print this help and exit]' \
		'*::program:_normal'
		;;
	(dump)
		_arguments -s -S -A '-*' \
		'(-p --pid)-p+[The running process to look into, in decimal or 0x hex]:PID:_pystoker_pids' \
		'(-p --pid)--pid=[The running process to look into, in decimal or 0x hex]:PID:_pystoker_pids' \
		'(-j --json)-j[Print JSON, with the keys of py-spy'\''s dump --json and more]' \
		'(-j --json)--json[Print JSON, with the keys of py-spy'\''s dump --json and more]' \
		'(--full-filenames)--full-filenames[Show whole paths, not only the part below the package'\''s folder]' \
		'(--nonblocking --blocking)--nonblocking[Never stop the process; this is the default, the option is for py-spy'\''s users]' \
		'(--blocking)--blocking[Stop the process with ptrace while it is read\: exact]' \
		'(-n --native)-n[Show C, C++, Rust frames between Python'\''s\: usual leaves out the interpreter'\''s own machinery, all shows it too, kernel adds the kernel'\''s frames to usual]' \
		'(-n --native)--native=-[Show C, C++, Rust frames between Python'\''s\: usual leaves out the interpreter'\''s own machinery, all shows it too, kernel adds the kernel'\''s frames to usual]::LEVEL:(usual all kernel)' \
		'(--unwind)--unwind=[How registers are had\: perf, from the kernel'\''s switch records, stops nothing; ptrace stops the running thread for some microseconds; auto takes perf where it is permitted]:WAY:(auto perf ptrace)' \
		'(--unwinder)--unwinder=[What walks the native stack]:ENGINE:(rules libunwind)' \
		'(--debuginfod)--debuginfod[Ask the servers named in DEBUGINFOD_URLS for debug files that are not here]' \
		'(-h --help)-h[Print this help and exit]' \
		'(-h --help)--help[Print this help and exit]' \
		&& return
		;;
	(push)
		_arguments -s -S -A '-*' \
		'(-p --pid --tree)-p+[This process alone]:PID:_pystoker_pids' \
		'(-p --pid --tree)--pid=[This process alone]:PID:_pystoker_pids' \
		'(--tree --match)--tree=[Every Python process among this one and its descendants, until this one ends]:PID:_pystoker_pids' \
		'(-m --match --pid)-m+[Every Python process whose command line this (POSIX extended) expression matches; waits for the first]:REGEX:' \
		'(-m --match --pid)--match=[Every Python process whose command line this (POSIX extended) expression matches; waits for the first]:REGEX:' \
		'(--once)--once[Send one interval and end]' \
		'(--replay --pid)--replay=[Send the profiles that lie in this folder and end; they stay there]:DIR:_files' \
		'(-a --app)-a+[The name of the service\: label service_name]:NAME:' \
		'(-a --app)--app=[The name of the service\: label service_name]:NAME:' \
		'(--environment)--environment=[Label environment]:NAME:' \
		'(-l --label)-l+[One more label; may be repeated]:NAME=VALUE:' \
		'(-l --label)--label=[One more label; may be repeated]:NAME=VALUE:' \
		'(--interval)--interval=[Time covered by one profile]:SECONDS:' \
		'(-r --rate)-r+[Samples per second]:HZ:' \
		'(-r --rate)--rate=[Samples per second]:HZ:' \
		'(--profiles)--profiles=[CPU time, wall-clock time, or both]:WHICH:(both cpu wall)' \
		'(--no-idle)--no-idle[Leave threads that sleep or wait out of the wall-clock profile]' \
		'(--thread-names)--thread-names[Keep threads apart by a label thread_name on their samples; each name is one more series on the server]' \
		'(--merge)--merge[One series for all processes, instead of one for each]' \
		'(-n --native)-n[Show C, C++, Rust frames between Python'\''s\: usual leaves out the interpreter'\''s own machinery, all shows it too, kernel adds the kernel'\''s frames to usual]' \
		'(-n --native)--native=-[Show C, C++, Rust frames between Python'\''s\: usual leaves out the interpreter'\''s own machinery, all shows it too, kernel adds the kernel'\''s frames to usual]::LEVEL:(usual all kernel)' \
		'(--unwind)--unwind=[How registers are had\: perf, from the kernel'\''s switch records, stops nothing; ptrace stops the running thread for some microseconds; auto takes perf where it is permitted]:WAY:(auto perf ptrace)' \
		'(--unwinder)--unwinder=[What walks the native stack]:ENGINE:(rules libunwind)' \
		'(--debuginfod)--debuginfod[Ask the servers named in DEBUGINFOD_URLS for debug files that are not here]' \
		'(-u --url)-u+[The server'\''s address, with its path if it has one; file\:DIR collects the profiles in a folder instead]:URL:' \
		'(-u --url)--url=[The server'\''s address, with its path if it has one; file\:DIR collects the profiles in a folder instead]:URL:' \
		'(--tenant)--tenant=[The tenant, sent as X-Scope-OrgID]:ID:' \
		'(--auth-file)--auth-file=[Basic authentication\: a file with USER\:PASSWORD; or the variables PYROSCOPE_BASIC_AUTH_USER and PYROSCOPE_BASIC_AUTH_PASSWORD]:FILE:_files' \
		'(--token-file --auth-file)--token-file=[Bearer authentication\: a file with the token; or PYROSCOPE_AUTH_TOKEN]:FILE:_files' \
		'(--ca-file)--ca-file=[Certificates (PEM) to trust for https]:FILE:_files' \
		'(-H --header)-H+[A header of every request; may be repeated]:NAME:VALUE:' \
		'(-H --header)--header=[A header of every request; may be repeated]:NAME:VALUE:' \
		'(--timeout)--timeout=[How long one request may take]:SECONDS:' \
		'(--transport)--transport=[push\: /push.v1.PusherService/Push; ingest\: /ingest, for proxies that know only that]:WAY:(push ingest)' \
		'(-f --format)-f+[What is sent\: speedscope and folded go to /ingest in the one form that servers really store (microseconds, one profile) and lose files, lines and thread names; an ordinary speedscope file is not stored by any server]:FORMAT:(pprof speedscope folded)' \
		'(-f --format)--format=[What is sent\: speedscope and folded go to /ingest in the one form that servers really store (microseconds, one profile) and lose files, lines and thread names; an ordinary speedscope file is not stored by any server]:FORMAT:(pprof speedscope folded)' \
		'(--spool)--spool=[Folder where profiles wait for the server]:DIR:_files' \
		'(--spool-size)--spool-size=[Most that may lie there, k, M, G allowed; the oldest go first]:BYTES:' \
		'(--spool-age)--spool-age=[Oldest profile worth sending; servers refuse those older than an hour]:SECONDS:' \
		'(--log)--log=[Where to log; - is stderr]:FILE:_files' \
		'(--stats-file)--stats-file=[Prometheus text about the pusher, written anew after each interval]:FILE:_files' \
		'(--enabled)--enabled=[Anything but 1, yes, on, true\: do nothing]:BOOL:' \
		'(-h --help)-h[Print this help and exit]' \
		'(-h --help)--help[Print this help and exit]' \
		&& return
		;;
	(exec)
		_arguments -s -S -A '-*' \
		'(--supervise)--supervise[Stay as the program'\''s parent instead of becoming it, so that the last profile is sent where the program is PID 1 of a container; signals are passed on, orphans reaped]' \
		'(--grace)--grace=[With --supervise\: how long the last profile may take once the program has ended]:SECONDS:' \
		'(-a --app)-a+[The name of the service\: label service_name]:NAME:' \
		'(-a --app)--app=[The name of the service\: label service_name]:NAME:' \
		'(--environment)--environment=[Label environment]:NAME:' \
		'(-l --label)-l+[One more label; may be repeated]:NAME=VALUE:' \
		'(-l --label)--label=[One more label; may be repeated]:NAME=VALUE:' \
		'(--interval)--interval=[Time covered by one profile]:SECONDS:' \
		'(-r --rate)-r+[Samples per second]:HZ:' \
		'(-r --rate)--rate=[Samples per second]:HZ:' \
		'(--profiles)--profiles=[CPU time, wall-clock time, or both]:WHICH:(both cpu wall)' \
		'(--no-idle)--no-idle[Leave threads that sleep or wait out of the wall-clock profile]' \
		'(--thread-names)--thread-names[Keep threads apart by a label thread_name on their samples; each name is one more series on the server]' \
		'(--merge)--merge[One series for all processes, instead of one for each]' \
		'(-n --native)-n[Show C, C++, Rust frames between Python'\''s\: usual leaves out the interpreter'\''s own machinery, all shows it too, kernel adds the kernel'\''s frames to usual]' \
		'(-n --native)--native=-[Show C, C++, Rust frames between Python'\''s\: usual leaves out the interpreter'\''s own machinery, all shows it too, kernel adds the kernel'\''s frames to usual]::LEVEL:(usual all kernel)' \
		'(--unwind)--unwind=[How registers are had\: perf, from the kernel'\''s switch records, stops nothing; ptrace stops the running thread for some microseconds; auto takes perf where it is permitted]:WAY:(auto perf ptrace)' \
		'(--unwinder)--unwinder=[What walks the native stack]:ENGINE:(rules libunwind)' \
		'(--debuginfod)--debuginfod[Ask the servers named in DEBUGINFOD_URLS for debug files that are not here]' \
		'(-u --url)-u+[The server'\''s address, with its path if it has one; file\:DIR collects the profiles in a folder instead]:URL:' \
		'(-u --url)--url=[The server'\''s address, with its path if it has one; file\:DIR collects the profiles in a folder instead]:URL:' \
		'(--tenant)--tenant=[The tenant, sent as X-Scope-OrgID]:ID:' \
		'(--auth-file)--auth-file=[Basic authentication\: a file with USER\:PASSWORD; or the variables PYROSCOPE_BASIC_AUTH_USER and PYROSCOPE_BASIC_AUTH_PASSWORD]:FILE:_files' \
		'(--token-file --auth-file)--token-file=[Bearer authentication\: a file with the token; or PYROSCOPE_AUTH_TOKEN]:FILE:_files' \
		'(--ca-file)--ca-file=[Certificates (PEM) to trust for https]:FILE:_files' \
		'(-H --header)-H+[A header of every request; may be repeated]:NAME:VALUE:' \
		'(-H --header)--header=[A header of every request; may be repeated]:NAME:VALUE:' \
		'(--timeout)--timeout=[How long one request may take]:SECONDS:' \
		'(--transport)--transport=[push\: /push.v1.PusherService/Push; ingest\: /ingest, for proxies that know only that]:WAY:(push ingest)' \
		'(-f --format)-f+[What is sent\: speedscope and folded go to /ingest in the one form that servers really store (microseconds, one profile) and lose files, lines and thread names; an ordinary speedscope file is not stored by any server]:FORMAT:(pprof speedscope folded)' \
		'(-f --format)--format=[What is sent\: speedscope and folded go to /ingest in the one form that servers really store (microseconds, one profile) and lose files, lines and thread names; an ordinary speedscope file is not stored by any server]:FORMAT:(pprof speedscope folded)' \
		'(--spool)--spool=[Folder where profiles wait for the server]:DIR:_files' \
		'(--spool-size)--spool-size=[Most that may lie there, k, M, G allowed; the oldest go first]:BYTES:' \
		'(--spool-age)--spool-age=[Oldest profile worth sending; servers refuse those older than an hour]:SECONDS:' \
		'(--log)--log=[Where to log; - is stderr]:FILE:_files' \
		'(--stats-file)--stats-file=[Prometheus text about the pusher, written anew after each interval]:FILE:_files' \
		'(--enabled)--enabled=[Anything but 1, yes, on, true\: only run the program]:BOOL:' \
		'(-h --help)-h[Print this help and exit]' \
		'(-h --help)--help[Print this help and exit]' \
		'*::program:_normal'
		;;
	(doctor)
		_arguments -s -S -A '-*' \
		'(-p --pid --match)-p+[This process; else all Python processes that can be seen]:PID:_pystoker_pids' \
		'(-p --pid --match)--pid=[This process; else all Python processes that can be seen]:PID:_pystoker_pids' \
		'(-m --match)-m+[Every process whose command line this (POSIX extended) expression matches]:REGEX:' \
		'(-m --match)--match=[Every process whose command line this (POSIX extended) expression matches]:REGEX:' \
		'(-a --app)-a+[The service whose data are asked for\: label service_name]:NAME:' \
		'(-a --app)--app=[The service whose data are asked for\: label service_name]:NAME:' \
		'(--interval)--interval=[Time covered by one profile; data older than three of it are stale]:SECONDS:' \
		'(--local --remote)--local[Only this machine\: ask no server]' \
		'(--remote)--remote[Only the server\: look at no process]' \
		'(--spool)--spool=[Folder where push keeps profiles for the server]:DIR:_files' \
		'(--log)--log=[Where push or exec logs, to tell its last line]:FILE:_files' \
		'(-u --url)-u+[The server'\''s address, with its path if it has one]:URL:' \
		'(-u --url)--url=[The server'\''s address, with its path if it has one]:URL:' \
		'(--tenant)--tenant=[The tenant, sent as X-Scope-OrgID]:ID:' \
		'(--auth-file)--auth-file=[Basic authentication\: a file with USER\:PASSWORD; or the variables PYROSCOPE_BASIC_AUTH_USER and PYROSCOPE_BASIC_AUTH_PASSWORD]:FILE:_files' \
		'(--token-file --auth-file)--token-file=[Bearer authentication\: a file with the token; or PYROSCOPE_AUTH_TOKEN]:FILE:_files' \
		'(--ca-file)--ca-file=[Certificates (PEM) to trust for https]:FILE:_files' \
		'(-H --header)-H+[A header of every request; may be repeated]:NAME:VALUE:' \
		'(-H --header)--header=[A header of every request; may be repeated]:NAME:VALUE:' \
		'(--timeout)--timeout=[How long one request may take]:SECONDS:' \
		'(-j --json)-j[Print the checks as a JSON array]' \
		'(-j --json)--json[Print the checks as a JSON array]' \
		'(-h --help)-h[Print this help and exit]' \
		'(-h --help)--help[Print this help and exit]' \
		&& return
		;;
	(help)
		_arguments -s -S -A '-*' \
		'(-h --help)-h[Print this help and exit]' \
		'(-h --help)--help[Print this help and exit]' \
		'1:command:_pystoker_commands'
		;;
	esac
}

_pystoker "$@"
