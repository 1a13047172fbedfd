# doctor: what is asked wrongly.
$ pystoker doctor word
pystoker: doctor: unexpected word 'word'
[2]
$ pystoker doctor --match '['
pystoker: doctor: --match: Invalid regular expression
[2]
$ pystoker doctor --match x --pid 1
pystoker: doctor: --pid and --match exclude each other
[2]
$ pystoker doctor --local --remote
pystoker: doctor: --local and --remote exclude each other
[2]
$ pystoker doctor --interval 0
pystoker: doctor: --interval: 0 is too small, the least is 1 s
  seconds, fractions allowed, or 'unlimited'
[2]
$ pystoker doctor --interval unlimited
pystoker: doctor: --interval cannot be unlimited
[2]
$ pystoker doctor --url pyroscope:4040
pystoker: doctor: 'pyroscope:4040' is not the address of a server
  --url http://pyroscope:4040, with a path where the server has one
[2]
$ pystoker doctor --url 'http://u:p@h/?x'
pystoker: doctor: '…' is not the address of a server
  --url http://pyroscope:4040, with a path where the server has one
[2]
$ pystoker doctor --tenant 'a|b'
pystoker: doctor: --tenant: 'a|b' is not a tenant ID that servers take
  1 to 150 letters, digits and ! - _ . * ' ( )
[2]
$ pystoker doctor -H 'X-Secret s3cret'
pystoker: doctor: --header: number 1 is not a header
  --header 'Name: value', on one line
[2]
$ pystoker doctor --auth-file none
pystoker: doctor: --auth-file: cannot open none: No such file or directory
[2]
$ pystoker doctor --auth-file a --token-file b
pystoker: doctor: --token-file and --auth-file exclude each other
[2]

# The environment stands for options.
$ PYROSCOPE_URL=nowhere pystoker doctor
pystoker: doctor: 'nowhere' is not the address of a server
  --url http://pyroscope:4040, with a path where the server has one
[2]
$ PYSTOKER_LOCAL=yes PROFILE_INTERVAL=fast pystoker doctor
pystoker: doctor: PROFILE_INTERVAL: 'fast' is not a number
  seconds, fractions allowed, or 'unlimited'
[2]

# Statuses. The server is one nobody listens for.
$ pystoker doctor --remote --url http://127.0.0.1:1 > out; echo $?; cut -d '(' -f 1 out
11
FAIL  server      http://127.0.0.1:1: nothing listens there 
[0]
$ pystoker doctor --remote --json --url http://127.0.0.1:1 | grep -e '"id"' -e '"verdict"' -e exit_status
    "id": "server",
    "verdict": "FAIL",
    "exit_status": 11
[0]
$ pystoker doctor --remote --url file:. | sed "s|  *| |g"
ok server none: profiles collect in ., which can be written
[0]
$ pystoker doctor --remote --url file:/proc/here > out; echo $?; sed "s|  *| |g" out
12
FAIL server none, and /proc cannot be written: No such file or directory
[0]
$ pystoker doctor --local --match 'no such command line, surely$' > out; echo $?; grep -o '^FAIL.*matches' out
4
FAIL  process     no Python process whose command line matches
[0]
$ pystoker doctor --local --pid 4194304 > out; echo $?; grep -o '^FAIL.*PID [0-9]*: [a-z ]*' out
3
FAIL  process     PID 4194304: no such process
[0]
$ sleep 60 & pystoker doctor --local --pid $! > out; echo $?; kill $!; grep -c '^FAIL' out
4
1
[0]
$ pystoker doctor --local --spool /proc/here --match nobody | grep -o 'spool.*written'
spool       /proc cannot be written
[0]
