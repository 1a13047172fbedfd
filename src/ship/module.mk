# A line for each noun: lists that go on over lines break where two branches are merged line by line.
libpystoker_a_SOURCES += %D%/backoff.h %D%/backoff.c
libpystoker_a_SOURCES += %D%/deliver.h %D%/deliver.c
libpystoker_a_SOURCES += include/ship/http.h %D%/http.c %D%/http_url.h %D%/http_url.c %D%/http_secret.c %D%/cafile.c
libpystoker_a_SOURCES += include/ship/labels.h %D%/labels.c
libpystoker_a_SOURCES += %D%/libcurl.h %D%/libcurl.c
libpystoker_a_SOURCES += %D%/outage.h %D%/outage.c
libpystoker_a_SOURCES += include/ship/pusher.h %D%/pusher.c
libpystoker_a_SOURCES += include/ship/spool.h %D%/spool.c
libpystoker_a_SOURCES += %D%/spool_adopt.h %D%/spool_adopt.c %D%/spool_dir.h %D%/spool_dir.c
libpystoker_a_SOURCES += %D%/spool_index.h %D%/spool_index.c %D%/spool_name.h %D%/spool_name.c
libpystoker_a_SOURCES += %D%/spool_run.h %D%/spool_run.c
libpystoker_a_SOURCES += %D%/spool_survey.c
libpystoker_a_SOURCES += include/ship/verdict.h %D%/verdict.c
libpystoker_a_SOURCES += include/ship/wire.h %D%/wire.c %D%/wire_text.h %D%/wire_text.c
libpystoker_a_SOURCES += %D%/pprofcut.h %D%/pprofcut.c %D%/pprofread.h %D%/pprofread.c
