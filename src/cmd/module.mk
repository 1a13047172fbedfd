# A line for each noun: lists that go on over lines break where two branches are merged line by line.
libpystoker_a_SOURCES += include/cmd/command.h %D%/commands.c %D%/help.c %D%/version.c
libpystoker_a_SOURCES += include/cmd/option.h %D%/option.c %D%/suggest.c %D%/value.h %D%/value.c
libpystoker_a_SOURCES += %D%/child.h %D%/child.c
libpystoker_a_SOURCES += %D%/collect.h %D%/collect.c
libpystoker_a_SOURCES += %D%/doctor.h %D%/doctor.c %D%/doctor_options.c %D%/doctor_local.c %D%/doctor_server.c
libpystoker_a_SOURCES += %D%/arrival.h %D%/arrival.c %D%/checks.h %D%/checks.c
libpystoker_a_SOURCES += %D%/folder.h %D%/folder.c %D%/health.h %D%/health.c
libpystoker_a_SOURCES += %D%/dump.h %D%/dump.c %D%/dumped.h %D%/dump_text.c %D%/dump_options.c
libpystoker_a_SOURCES += %D%/exec.h %D%/exec.c %D%/exec_options.c %D%/pushproc.h %D%/pushproc.c
libpystoker_a_SOURCES += %D%/guardian.h %D%/guardian.c %D%/supervise.h %D%/supervise.c
libpystoker_a_SOURCES += %D%/detach.h %D%/detach.c %D%/title.h %D%/title.c
libpystoker_a_SOURCES += %D%/push.h %D%/push.c %D%/push_options.c %D%/pushlog.h %D%/pushlog.c
libpystoker_a_SOURCES += %D%/pushing.h %D%/pushing.c %D%/interval.c
libpystoker_a_SOURCES += %D%/find.h %D%/find.c %D%/watch.h %D%/watch.c %D%/replay.h %D%/replay.c
libpystoker_a_SOURCES += %D%/record.h %D%/record.c %D%/record_options.c %D%/recording.h %D%/recording.c
libpystoker_a_SOURCES += %D%/progress.h %D%/progress.c
libpystoker_a_SOURCES += %D%/server.h %D%/server.c
