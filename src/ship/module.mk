libpystoker_a_SOURCES += \
	include/ship/labels.h include/ship/wire.h include/ship/spool.h include/ship/http.h \
	include/ship/verdict.h include/ship/pusher.h
