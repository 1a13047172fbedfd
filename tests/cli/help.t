# The help of pystoker and of each command, as the tables make it.
$ pystoker --help
Usage: pystoker COMMAND [OPTIONS]

Looks into a running Python process from outside, without stopping it, and
shows where its time goes.

Commands:
  record     Record where a process spends its time, into a file
  dump       Print the stacks of all threads of a process once
  push       Profile a service for as long as it lives, and send it to Pyroscope
  exec       Run a program with a pusher of its profiles beside it
  doctor     Check whether processes can be profiled here, and whether it arrives
  help       Explain pystoker or one of its commands

Options:
  -h, --help                  Print this help and exit
  -V, --version               Print the version and those of the libraries, and
                              exit

First steps:
  pystoker record -p PID -d 10 -o profile.svg   then open it in a browser
  pystoker help record                          explains a command
[0]
$ pystoker help record
Usage: pystoker record [OPTIONS] -p PID
       pystoker record [OPTIONS] [--] PROGRAM [ARGUMENT...]

Record where a process spends its time, into a file.

What to record:
  -p, --pid PID               The running process to look into, in decimal or 0x
                              hex
  -d, --duration SECONDS      Stop after so many seconds, fractions allowed; a
                              program that was started goes on [default:
                              unlimited]
  -r, --rate HZ               Samples per second, fractions allowed [default:
                              100]
  -g, --gil                   Only the thread that holds the GIL
  -i, --idle                  Also threads that sleep or wait

What to write:
  -o, --output FILE           The file to write, - for stdout [default:
                              NAME-TIME.SUFFIX]
  -f, --format FORMAT         The format of the file; one of flamegraph, raw,
                              speedscope, pprof, chrometrace [default: by the
                              suffix of FILE, else flamegraph]
  -t, --threads               Put the thread in front of each stack
  -F, --function              Count by function: show the line where it starts,
                              not the line it is at
      --nolineno              Show no line numbers
      --full-filenames        Show whole paths, not only the part below the
                              package's folder

How to sample:
      --nonblocking           Never stop the process; this is the default, the
                              option is for py-spy's users
      --blocking              Stop the process with ptrace for each sample:
                              exact, and slows it down
      --placement WHERE       Where the sampler wakes: on the target's CPU, or
                              beside it for very high rates; one of auto,
                              on-cpu, off-cpu [default: auto]

Native frames:
  -n, --native[=LEVEL]        Show C, C++, Rust frames between Python's: usual
                              leaves out the interpreter's own machinery, all
                              shows it too, kernel adds the kernel's frames to
                              usual; one of usual, all, kernel [without a value:
                              usual]
      --unwind WAY            How registers are had: perf, from the kernel's
                              switch records, stops nothing; ptrace stops the
                              running thread for some microseconds; auto takes
                              perf where it is permitted; one of auto, perf,
                              ptrace [default: auto]
      --unwinder ENGINE       What walks the native stack; one of rules,
                              libunwind [default: rules]
      --debuginfod            Ask the servers named in DEBUGINFOD_URLS for debug
                              files that are not here

Other:
  -h, --help                  Print this help and exit

Examples:
  pystoker record -p 4242 -d 10 -o profile.svg
      ten seconds of process 4242 as a flame graph for the browser
  pystoker record -o profile.speedscope.json -- python3 app.py
      start a program and record it until it ends; its exit status is kept
  pystoker record -p 4242 -f raw -o - -d 5 | sort | head
      stacks and counts as text on stdout

More in the manual page: man pystoker-record
[0]
$ pystoker help dump
Usage: pystoker dump [OPTIONS] -p PID

Print the stacks of all threads of a process once.

What to show:
  -p, --pid PID               The running process to look into, in decimal or 0x
                              hex
  -j, --json                  Print JSON, with the keys of py-spy's dump --json
                              and more
      --full-filenames        Show whole paths, not only the part below the
                              package's folder

How to sample:
      --nonblocking           Never stop the process; this is the default, the
                              option is for py-spy's users
      --blocking              Stop the process with ptrace while it is read:
                              exact

Native frames:
  -n, --native[=LEVEL]        Show C, C++, Rust frames between Python's: usual
                              leaves out the interpreter's own machinery, all
                              shows it too, kernel adds the kernel's frames to
                              usual; one of usual, all, kernel [without a value:
                              usual]
      --unwind WAY            How registers are had: perf, from the kernel's
                              switch records, stops nothing; ptrace stops the
                              running thread for some microseconds; auto takes
                              perf where it is permitted; one of auto, perf,
                              ptrace [default: auto]
      --unwinder ENGINE       What walks the native stack; one of rules,
                              libunwind [default: rules]
      --debuginfod            Ask the servers named in DEBUGINFOD_URLS for debug
                              files that are not here

Other:
  -h, --help                  Print this help and exit

Examples:
  pystoker dump -p 4242
      what every thread of process 4242 is doing right now
  pystoker dump -p 4242 --json | python3 -m json.tool
      the same for programs

More in the manual page: man pystoker-dump
[0]
$ pystoker help help
Usage: pystoker help [COMMAND]

Explain pystoker or one of its commands.

Options:
  -h, --help                  Print this help and exit

More in the manual page: man pystoker
[0]

# All spellings give the same.
$ pystoker record --help > a; pystoker help rec > b; pystoker r -h > c; cmp a b && cmp a c
[0]
$ pystoker -h > a; pystoker help > b; cmp a b
[0]
$ pystoker record -p 1 --help | head -n 1
Usage: pystoker record [OPTIONS] -p PID
[0]

# No line is wider than a terminal of 80 columns.
$ for c in record dump exec help; do pystoker help $c; done | awk 'length > 80'
[0]
