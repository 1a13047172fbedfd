libpystoker_a_SOURCES += \
	include/profile/events.h \
	include/profile/profile.h
