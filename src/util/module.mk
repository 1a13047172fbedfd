libpystoker_a_SOURCES += \
	include/util/attr.h \
	include/util/buf.h %D%/buf.c \
	include/util/clock.h %D%/clock.c \
	include/util/err.h %D%/err.c \
	include/util/first_above.h \
	include/util/hash.h \
	include/util/idmap.h %D%/idmap.c \
	include/util/gzip.h %D%/gzip.c \
	include/util/log.h %D%/log.c \
	include/util/json.h %D%/json.c \
	include/util/pbwire.h %D%/pbwire.c \
	include/util/counters.h include/util/pool.h %D%/pool.c \
	include/util/utf8.h %D%/utf8.c \
	include/util/varint.h \
	include/util/xalloc.h %D%/xalloc.c
