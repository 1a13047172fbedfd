libpystoker_a_SOURCES += \
	include/mem/procfs.h \
	include/mem/remote.h %D%/remote.c
