#compdef pystoker
# zsh completion for pystoker. Made by `make update-options` from the option tables in src/cmd/; do not edit.
_pystoker_commands() {
	local -a commands=(
		'record:Record where a process spends its time, into a file'
		'dump:Print the stacks of all threads of a process once'
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
