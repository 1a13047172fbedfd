libpystoker_a_SOURCES += \
	include/mem/fixture.h %D%/fixture.c \
	include/mem/permission.h %D%/permission.c \
	include/mem/processes.h %D%/processes.c \
	include/mem/procfs.h %D%/procfs.c \
	include/mem/remote.h %D%/remote.c \
	include/mem/switch_log.h include/mem/registers.h %D%/switch_log.c \
	include/mem/task.h %D%/task.c
