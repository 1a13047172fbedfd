# Commands: unknown ones, near ones, short ones.
$ pystoker 2>/dev/null
[2]
$ pystoker 2>&1 >/dev/null | head -n 1
Usage: pystoker COMMAND [OPTIONS]
[0]
$ pystoker recrod
pystoker: unknown command 'recrod'
  did you mean record?
[2]
$ pystoker dmup -p 1
pystoker: unknown command 'dmup'
  did you mean dump?
[2]
$ pystoker frobnicate
pystoker: unknown command 'frobnicate'
  pystoker --help lists the commands
[2]
$ pystoker ""
pystoker: unknown command ''
  pystoker --help lists the commands
[2]
$ pystoker help recrod
pystoker: unknown command 'recrod'
  did you mean record?
[2]
$ pystoker help record dump
pystoker: help: one command at a time
[2]
$ pystoker r
pystoker: record: neither a PID nor a program is given
  pystoker record -p PID, or pystoker record -- python3 program.py
[2]
$ pystoker d
pystoker: dump: no PID is given
  pystoker dump -p PID
[2]

# Options that do not exist.
$ pystoker --verson
pystoker: unknown option --verson
  did you mean --version?
[2]
$ pystoker -x
pystoker: unknown option -x
  pystoker --help lists the options
[2]
$ pystoker record --formt raw
pystoker: record: unknown option --formt
  did you mean --format?
[2]
$ pystoker record --durration 5
pystoker: record: unknown option --durration
  did you mean --duration?
[2]
$ pystoker record --zzz
pystoker: record: unknown option --zzz
  pystoker record --help lists the options
[2]
$ pystoker record -z
pystoker: record: unknown option -z
  pystoker record --help lists the options
[2]
$ pystoker record -tgiz
pystoker: record: unknown option -z
  pystoker record --help lists the options
[2]
$ pystoker record -pid 12
pystoker: record: -p: 'id' is not a process ID
  did you mean --pid?
[2]
$ pystoker record -é
pystoker: record: unknown option -é
  pystoker record --help lists the options
[2]
$ pystoker record --f
pystoker: record: --f is ambiguous: --format, --function
  pystoker record --help lists the options
[2]
$ pystoker record --=3
pystoker: record: unknown option --
  pystoker record --help lists the options
[2]
$ pystoker dump --jsn -p 1
pystoker: dump: unknown option --jsn
  did you mean --json?
[2]

# Values that are missing, or that nobody asked for.
$ pystoker record -p
pystoker: record: -p needs a value: PID
  pystoker record --help lists the options
[2]
$ pystoker record --rate
pystoker: record: --rate needs a value: HZ
  pystoker record --help lists the options
[2]
$ pystoker record --idle=1
pystoker: record: --idle takes no value
  pystoker record --help lists the options
[2]
$ pystoker record --help=1
pystoker: record: --help takes no value
  pystoker record --help lists the options
[2]
$ pystoker record -o "" -p 1
pystoker: record: -o: the value is empty
  pystoker record --help lists the options
[2]
$ pystoker record --output= -p 1
pystoker: record: --output: the value is empty
  pystoker record --help lists the options
[2]

# PIDs.
$ pystoker record -p x
pystoker: record: -p: 'x' is not a process ID
  a number, decimal or hexadecimal with 0x; pgrep -a python lists some
[2]
$ pystoker record -p -5
pystoker: record: -p: '-5' is not a process ID
  a number, decimal or hexadecimal with 0x; pgrep -a python lists some
[2]
$ pystoker record -p 0
pystoker: record: -p: no process has the ID 0 (1 to 4194304)
  pystoker record --help lists the options
[2]
$ pystoker record -p 4194305
pystoker: record: -p: no process has the ID 4194305 (1 to 4194304)
  pystoker record --help lists the options
[2]
$ pystoker record -p 99999999999999999999
pystoker: record: -p: no process has the ID 99999999999999999999 (1 to 4194304)
  pystoker record --help lists the options
[2]
$ pystoker record -p 1.5
pystoker: record: -p: '1.5' is not a process ID
  a number, decimal or hexadecimal with 0x; pgrep -a python lists some
[2]
$ pystoker record -p " 12"
pystoker: record: -p: ' 12' is not a process ID
  a number, decimal or hexadecimal with 0x; pgrep -a python lists some
[2]
$ pystoker record -p 0x
pystoker: record: -p: '0x' is not a process ID
  a number, decimal or hexadecimal with 0x; pgrep -a python lists some
[2]
$ pystoker record -p 0xg
pystoker: record: -p: '0xg' is not a process ID
  a number, decimal or hexadecimal with 0x; pgrep -a python lists some
[2]
$ pystoker record -p 12x
pystoker: record: -p: '12x' is not a process ID
  a number, decimal or hexadecimal with 0x; pgrep -a python lists some
[2]

# Rates.
$ pystoker record -p 1 -r fast
pystoker: record: -r: 'fast' is not a number
  pystoker record --help lists the options
[2]
$ pystoker record -p 1 -r 0
pystoker: record: -r: 0 is too small, the least is 0.01 Hz
  pystoker record --help lists the options
[2]
$ pystoker record -p 1 -r -1
pystoker: record: -r: -1 is too small, the least is 0.01 Hz
  pystoker record --help lists the options
[2]
$ pystoker record -p 1 -r 0.001
pystoker: record: -r: 0.001 is too small, the least is 0.01 Hz
  pystoker record --help lists the options
[2]
$ pystoker record -p 1 -r 1000001
pystoker: record: -r: 1000001 is too large, the most is 1000000 Hz
  pystoker record --help lists the options
[2]
$ pystoker record -p 1 -r 1e99
pystoker: record: -r: 1e99 is too large, the most is 1000000 Hz
  pystoker record --help lists the options
[2]
$ pystoker record -p 1 -r 1e999
pystoker: record: -r: 1e999 is too large, the most is 1000000 Hz
  pystoker record --help lists the options
[2]
$ pystoker record -p 1 -r nan
pystoker: record: -r: 'nan' is not a number
  pystoker record --help lists the options
[2]
$ pystoker record -p 1 -r inf
pystoker: record: -r: 'inf' is not a number
  pystoker record --help lists the options
[2]
$ pystoker record -p 1 -r 0x10
pystoker: record: -r: '0x10' is not a number
  pystoker record --help lists the options
[2]
$ pystoker record -p 1 -r "1 "
pystoker: record: -r: '1 ' is not a number
  pystoker record --help lists the options
[2]
$ pystoker record -p 1 -r 5Hz
pystoker: record: -r: '5Hz' is not a number
  pystoker record --help lists the options
[2]

# Durations.
$ pystoker record -p 1 -d long
pystoker: record: -d: 'long' is not a number
  seconds, fractions allowed, or 'unlimited'
[2]
$ pystoker record -p 1 -d 0
pystoker: record: -d: 0 is too small, the least is 0.001 s
  seconds, fractions allowed, or 'unlimited'
[2]
$ pystoker record -p 1 -d -1
pystoker: record: -d: -1 is too small, the least is 0.001 s
  seconds, fractions allowed, or 'unlimited'
[2]
$ pystoker record -p 1 -d 0.0001
pystoker: record: -d: 0.0001 is too small, the least is 0.001 s
  seconds, fractions allowed, or 'unlimited'
[2]
$ pystoker record -p 1 -d 1e300
pystoker: record: -d: 1e300 is too large, the most is 3155760000 s
  seconds, fractions allowed, or 'unlimited'
[2]
$ pystoker record -p 1 -d 3155760001
pystoker: record: -d: 3155760001 is too large, the most is 3155760000 s
  seconds, fractions allowed, or 'unlimited'
[2]
$ pystoker record -p 1 -d nan
pystoker: record: -d: 'nan' is not a number
  seconds, fractions allowed, or 'unlimited'
[2]
$ pystoker record -p 1 -d unlimitedd
pystoker: record: -d: 'unlimitedd' is not a number
  seconds, fractions allowed, or 'unlimited'
[2]

# Formats and other choices.
$ pystoker record -p 1 -f svg
pystoker: record: -f: unknown format 'svg'
  one of flamegraph, raw, speedscope, pprof, chrometrace
[2]
$ pystoker record -p 1 -f flamegrahp
pystoker: record: -f: unknown format 'flamegrahp'
  did you mean flamegraph?
[2]
$ pystoker record -p 1 --format=
pystoker: record: --format: the value is empty
  pystoker record --help lists the options
[2]
$ pystoker record -p 1 --placement here
pystoker: record: --placement: unknown placement 'here'
  one of auto, on-cpu, off-cpu
[2]

# What excludes what, and what must be there.
$ pystoker record
pystoker: record: neither a PID nor a program is given
  pystoker record -p PID, or pystoker record -- python3 program.py
[2]
$ pystoker record -d 5
pystoker: record: neither a PID nor a program is given
  pystoker record -p PID, or pystoker record -- python3 program.py
[2]
$ pystoker record --
pystoker: record: neither a PID nor a program is given
  pystoker record -p PID, or pystoker record -- python3 program.py
[2]
$ pystoker record -p 1 -- sh
pystoker: record: a PID and a program ('sh') are both given
[2]
$ pystoker record -p 1 sh
pystoker: record: a PID and a program ('sh') are both given
[2]
$ pystoker record -p 1 -F --nolineno
pystoker: record: --function and --nolineno exclude each other
[2]
$ pystoker record -p 1 --nolineno -F
pystoker: record: --function and --nolineno exclude each other
[2]
$ pystoker record -p 1 --blocking --nonblocking
pystoker: record: --nonblocking and --blocking exclude each other
[2]
$ pystoker dump
pystoker: dump: no PID is given
  pystoker dump -p PID
[2]
$ pystoker dump -p 1 x
pystoker: dump: unexpected word 'x'
  pystoker dump -p PID
[2]
$ pystoker dump -p 1 -- x
pystoker: dump: unexpected word 'x'
  pystoker dump -p PID
[2]
$ pystoker dump --nonblocking --blocking -p 1
pystoker: dump: --nonblocking and --blocking exclude each other
[2]
$ pystoker dump -p x
pystoker: dump: -p: 'x' is not a process ID
  a number, decimal or hexadecimal with 0x; pgrep -a python lists some
[2]

# Nothing of this goes to stdout.
$ pystoker record --formt 2>/dev/null
[2]
$ pystoker dump 2>/dev/null
[2]

# exec says what is wrong and runs the program all the same; it needs a program.
$ pystoker exec
pystoker: exec: it is not said which program to run
  pystoker exec -- python3 app.py
[2]
$ pystoker exec --
pystoker: exec: it is not said which program to run
  pystoker exec -- python3 app.py
[2]
$ pystoker exec --intervall=5
pystoker: exec: unknown option --intervall
  did you mean --interval?
[2]
$ pystoker exec --intervall 5 -- echo runs
pystoker: exec: unknown option --intervall
  did you mean --interval?
runs
[0]
$ pystoker exec --intervall=5 --rate x echo runs
pystoker: exec: unknown option --intervall
  did you mean --interval?
runs
[0]
$ pystoker exec --rate x sh -c 'exit 3'
pystoker: exec: --rate: 'x' is not a number
  pystoker exec --help lists the options
[3]
$ pystoker exec --auth-file a --token-file b -- echo runs
pystoker: exec: --token-file and --auth-file exclude each other
runs
[0]
$ PROFILE_INTERVAL=x PYSTOKER_RATE=y pystoker exec -- echo runs
runs
[0]
$ pystoker exec -- no-such-program
pystoker: cannot run no-such-program: No such file or directory
[127]
$ pystoker exec --supervise -- no-such-program
pystoker: cannot run no-such-program: No such file or directory
[127]
$ pystoker exec -- /
pystoker: cannot run /: Permission denied
[126]

# Native frames: a value stands behind "=" only; what belongs to --native means nothing without it.
$ pystoker record -p 1 --native=al
pystoker: record: --native: unknown native 'al'
  did you mean all?
[2]
$ pystoker record -p 1 --native=
pystoker: record: --native: the value is empty
  pystoker record --help lists the options
[2]
$ pystoker record -p 1 --unwind=perf
pystoker: record: --unwind means nothing without --native
[2]
$ pystoker dump -p 1 --unwinder rules
pystoker: dump: --unwinder means nothing without --native
[2]
$ pystoker push -p 1 -a x --debuginfod
pystoker: push: --debuginfod means nothing without --native
[2]
$ pystoker record -p 1 -n --placement=off-cpu
pystoker: record: --native needs a moment in which the thread does not run; --placement=off-cpu has none
[2]
$ pystoker record -p 1 -n --rate 20001
pystoker: record: --native works up to --rate 20000
[2]
$ pystoker record -p 1 -n --blocking --unwind=perf
pystoker: record: --blocking takes the registers by ptrace; it does not go with --unwind=perf
[2]
$ pystoker dump -p 1 --native=kernel --blocking
pystoker: dump: the kernel's frames come with --unwind=perf alone; --native=kernel does not go with --blocking
[2]
$ PYSTOKER_NATIVE=KERNEL pystoker push -p 1 -a x --unwind=ptrace
pystoker: push: the kernel's frames come with --unwind=perf alone; --native=kernel does not go with --unwind=ptrace
[2]
