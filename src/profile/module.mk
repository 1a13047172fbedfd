libpystoker_a_SOURCES += \
	include/profile/events.h %D%/events.c \
	include/profile/profile.h %D%/profile.c
