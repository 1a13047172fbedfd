libpystoker_a_SOURCES += \
	include/ship/labels.h %D%/labels.c \
	include/ship/wire.h %D%/wire.c \
	%D%/pprofcut.h %D%/pprofcut.c \
	%D%/pprofread.h %D%/pprofread.c \
	%D%/wire_text.h %D%/wire_text.c \
	include/ship/spool.h include/ship/http.h \
	include/ship/verdict.h include/ship/pusher.h
