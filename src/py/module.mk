libpystoker_a_SOURCES += \
	include/py/attach.h %D%/attach.c \
	include/py/code.h %D%/code.c \
	include/py/debug_offsets.h %D%/debug_offsets.c \
	%D%/descendants.c %D%/descendants.h \
	include/py/dict.h %D%/dict.c \
	include/py/fixture.h %D%/fixture.c \
	include/py/frames.h %D%/frames.c \
	include/py/guess.h %D%/guess.c \
	include/py/integer.h %D%/integer.c \
	include/py/layout.h %D%/layout.c %D%/layouts.c \
	include/py/linetable.h %D%/linetable.c \
	%D%/scan.c %D%/scan.h \
	include/py/shortpath.h %D%/shortpath.c \
	include/py/snapshot.h %D%/snapshot.c \
	include/py/target.h %D%/locate.c \
	include/py/threadname.h %D%/threadname.c \
	include/py/threads.h %D%/threads.c \
	include/py/unicode.h %D%/unicode.c \
	include/py/version.h %D%/version.c
