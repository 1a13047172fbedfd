# --version names the libraries; the numbers are the machine's.
$ pystoker --version | sed 's/ [0-9][^ ,]*/ N/g; s/built for .*/built for HOST/; s/ no$/ N/; s/ no,/ N,/'
pystoker N
elfutils N, libcurl N, jansson N, zlib N
for --unwinder: libunwind N
built for HOST
[0]
$ pystoker -V | wc -l | tr -d ' '
4
[0]
$ pystoker --version --help > a; pystoker --help > b; cmp a b
[0]

# Data that cannot be written is an error, unless there were none.
$ pystoker --version > /dev/full
pystoker: stdout could not be written: No space left on device
[7]
$ pystoker record --help > /dev/full
pystoker: stdout could not be written: No space left on device
[7]
$ pystoker --help >&-
pystoker: stdout could not be written: Bad file descriptor
[7]
$ pystoker record --formt >&-
pystoker: record: unknown option --formt
  did you mean --format?
[2]
$ pystoker bla 2>&- >&-
[2]
$ pystoker bla <&- 2>&-
[2]
