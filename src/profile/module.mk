libpystoker_a_SOURCES += \
	include/profile/events.h %D%/events.c \
	include/profile/merge.h %D%/merge.c \
	include/profile/profile.h %D%/profile.c \
	include/profile/recorder.h %D%/recorder.c
