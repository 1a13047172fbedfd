libpystoker_a_SOURCES += \
	include/cmd/command.h %D%/commands.c %D%/help.c %D%/version.c \
	include/cmd/option.h %D%/option.c %D%/suggest.c %D%/value.h %D%/value.c \
	%D%/record.h %D%/record.c %D%/record_options.c \
	%D%/recording.h %D%/recording.c %D%/child.h %D%/child.c %D%/progress.h %D%/progress.c \
	%D%/dump.h %D%/dump.c %D%/dumped.h %D%/dump_text.c %D%/dump_options.c
libpystoker_a_SOURCES += \
	%D%/push.h %D%/push.c %D%/push_options.c %D%/pushlog.h %D%/pushlog.c \
	%D%/watch.h %D%/watch.c %D%/find.h %D%/find.c %D%/collect.h %D%/collect.c \
	%D%/replay.h %D%/replay.c %D%/server.h %D%/server.c
	%D%/checks.h %D%/checks.c %D%/server.h %D%/server.c %D%/arrival.h %D%/arrival.c \
	%D%/health.h %D%/health.c %D%/folder.h %D%/folder.c \
	%D%/doctor.h %D%/doctor.c %D%/doctor_options.c %D%/doctor_local.c %D%/doctor_server.c

libpystoker_a_SOURCES += \
	%D%/exec.h %D%/exec.c %D%/exec_options.c %D%/pushproc.h %D%/pushproc.c \
	%D%/guardian.h %D%/guardian.c %D%/supervise.h %D%/supervise.c \
	%D%/detach.h %D%/detach.c %D%/title.h %D%/title.c
