# A program that pystoker starts ends as it would have ended alone; the file is there all the same.
$ pystoker record -o a.svg -- sh -c 'exit 3' 2>/dev/null
[3]
$ pystoker record -o a.svg -- sh -c 'exit 0' 2>/dev/null; head -c 5 a.svg; echo; ls a.svg*
<?xml
a.svg
[0]
$ sh -c '"$0" record -o b.svg -- sh -c "kill -TERM \$\$"; echo $?' "$program" 2>/dev/null
143
[0]
$ echo in | pystoker record -o a.svg -- sh -c 'cat; echo out; echo err >&2' 2>&1 | grep -v '^pystoker:'
in
out
err
[0]

# Programs that cannot be started; no file is left.
$ pystoker record -o c.svg -- /nonexistent/program; ls c.svg* 2>/dev/null | wc -l
pystoker: cannot run /nonexistent/program: No such file or directory
0
[0]
$ pystoker record -o c.svg -- /nonexistent/program
pystoker: cannot run /nonexistent/program: No such file or directory
[127]
$ PATH=/usr/bin:/bin; pystoker record -o c.svg -- no-such-program-in-path
pystoker: cannot run no-such-program-in-path: No such file or directory
[127]
$ pystoker record -o c.svg -- /etc/passwd
pystoker: cannot run /etc/passwd: Permission denied
[126]

# Processes that are not there, or no Python.
$ pystoker record -o c.svg -p 4194303; ls c.svg* 2>/dev/null | wc -l
pystoker: PID 4194303: no such process
0
[0]
$ pystoker record -o c.svg -p 4194303
pystoker: PID 4194303: no such process
[3]
$ pystoker dump -p 4194303
pystoker: PID 4194303: no such process
[3]
$ sleep 60 & p=$!; until grep -q sleep /proc/$p/cmdline; do :; done; pystoker dump -p $p 2>&1 | sed "s/PID $p/PID N/"; kill $p
pystoker: PID N (sleep 60): no CPython interpreter found in it
[0]
$ sleep 60 & p=$!; until grep -q sleep /proc/$p/cmdline; do :; done; pystoker dump -p $p 2>/dev/null; s=$?; kill $p; exit $s
[4]

# Outputs that cannot be written: found before the recording where that is possible.
$ pystoker record -o nowhere/c.svg -- sh -c 'echo started'
pystoker: cannot write nowhere/c.svg: the folder nowhere does not exist
[7]
$ pystoker record -o /dev/full -- sh -c 'exit 0' 2>&1 | tail -n 1
pystoker: cannot write /dev/full: No space left on device
[0]
$ pystoker record -o . -- sh -c 'echo started'
pystoker: cannot write .: Is a directory
[7]
