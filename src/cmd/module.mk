libpystoker_a_SOURCES += \
	include/cmd/command.h %D%/commands.c %D%/help.c %D%/version.c \
	include/cmd/option.h %D%/option.c %D%/suggest.c %D%/value.h %D%/value.c \
	%D%/record.h %D%/record.c %D%/record_options.c \
	%D%/recording.h %D%/recording.c %D%/child.h %D%/child.c %D%/progress.h %D%/progress.c \
	%D%/dump.h %D%/dump.c %D%/dumped.h %D%/dump_text.c %D%/dump_options.c
