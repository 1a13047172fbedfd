libpystoker_a_SOURCES += \
	include/util/attr.h \
	include/util/buf.h %D%/buf.c \
	include/util/clock.h %D%/clock.c \
	include/util/err.h %D%/err.c \
	include/util/hash.h \
	include/util/pool.h %D%/pool.c \
	include/util/xalloc.h %D%/xalloc.c
