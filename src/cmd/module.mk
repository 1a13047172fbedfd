libpystoker_a_SOURCES += \
	include/cmd/command.h \
	include/cmd/option.h
