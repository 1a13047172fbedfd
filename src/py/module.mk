libpystoker_a_SOURCES += \
	include/py/layout.h %D%/layout.c %D%/layouts.c \
	include/py/linetable.h %D%/linetable.c \
	include/py/target.h \
	include/py/threadname.h \
	include/py/unicode.h %D%/unicode.c \
	include/py/version.h %D%/version.c
