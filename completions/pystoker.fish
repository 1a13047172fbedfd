# fish completion for pystoker. Made by `make update-options` from the option tables in src/cmd/; do not edit.
complete -c pystoker -f
complete -c pystoker -n '__fish_use_subcommand' -l help -s h -d 'Print this help and exit'
complete -c pystoker -n '__fish_use_subcommand' -l version -s V -d 'Print the version and those of the libraries, and exit'
complete -c pystoker -n __fish_use_subcommand -a record -d 'Record where a process spends its time, into a file'
complete -c pystoker -n '__fish_seen_subcommand_from record' -l pid -s p -xa '(__fish_complete_pids)' -d 'The running process to look into, in decimal or 0x hex'
complete -c pystoker -n '__fish_seen_subcommand_from record' -l duration -s d -x -d 'Stop after so many seconds, fractions allowed; a program that was started goes on'
complete -c pystoker -n '__fish_seen_subcommand_from record' -l rate -s r -x -d 'Samples per second, fractions allowed'
complete -c pystoker -n '__fish_seen_subcommand_from record' -l gil -s g -d 'Only the thread that holds the GIL'
complete -c pystoker -n '__fish_seen_subcommand_from record' -l idle -s i -d 'Also threads that sleep or wait'
complete -c pystoker -n '__fish_seen_subcommand_from record' -l output -s o -rF -d 'The file to write, - for stdout'
complete -c pystoker -n '__fish_seen_subcommand_from record' -l format -s f -xa 'flamegraph raw speedscope pprof chrometrace' -d 'The format of the file'
complete -c pystoker -n '__fish_seen_subcommand_from record' -l threads -s t -d 'Put the thread in front of each stack'
complete -c pystoker -n '__fish_seen_subcommand_from record' -l function -s F -d 'Count by function: show the line where it starts, not the line it is at'
complete -c pystoker -n '__fish_seen_subcommand_from record' -l nolineno -d 'Show no line numbers'
complete -c pystoker -n '__fish_seen_subcommand_from record' -l full-filenames -d 'Show whole paths, not only the part below the package\'s folder'
complete -c pystoker -n '__fish_seen_subcommand_from record' -l nonblocking -d 'Never stop the process; this is the default, the option is for py-spy\'s users'
complete -c pystoker -n '__fish_seen_subcommand_from record' -l blocking -d 'Stop the process with ptrace for each sample: exact, and slows it down'
complete -c pystoker -n '__fish_seen_subcommand_from record' -l placement -xa 'auto on-cpu off-cpu' -d 'Where the sampler wakes: on the target\'s CPU, or beside it for very high rates'
complete -c pystoker -n '__fish_seen_subcommand_from record' -l help -s h -d 'Print this help and exit'
complete -c pystoker -n '__fish_seen_subcommand_from record' -F
complete -c pystoker -n __fish_use_subcommand -a dump -d 'Print the stacks of all threads of a process once'
complete -c pystoker -n '__fish_seen_subcommand_from dump' -l pid -s p -xa '(__fish_complete_pids)' -d 'The running process to look into, in decimal or 0x hex'
complete -c pystoker -n '__fish_seen_subcommand_from dump' -l json -s j -d 'Print JSON, with the keys of py-spy\'s dump --json and more'
complete -c pystoker -n '__fish_seen_subcommand_from dump' -l full-filenames -d 'Show whole paths, not only the part below the package\'s folder'
complete -c pystoker -n '__fish_seen_subcommand_from dump' -l nonblocking -d 'Never stop the process; this is the default, the option is for py-spy\'s users'
complete -c pystoker -n '__fish_seen_subcommand_from dump' -l blocking -d 'Stop the process with ptrace while it is read: exact'
complete -c pystoker -n '__fish_seen_subcommand_from dump' -l help -s h -d 'Print this help and exit'
complete -c pystoker -n __fish_use_subcommand -a help -d 'Explain pystoker or one of its commands'
complete -c pystoker -n '__fish_seen_subcommand_from help' -l help -s h -d 'Print this help and exit'
complete -c pystoker -n '__fish_seen_subcommand_from help' -a record
complete -c pystoker -n '__fish_seen_subcommand_from help' -a dump
complete -c pystoker -n '__fish_seen_subcommand_from help' -a help
