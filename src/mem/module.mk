libpystoker_a_SOURCES += \
	include/mem/procfs.h %D%/procfs.c \
	include/mem/remote.h %D%/remote.c \
	include/mem/task.h %D%/task.c
