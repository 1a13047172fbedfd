# From looks with registers and stacks to looks with one stack.
libpystoker_a_SOURCES += include/mix/mixer.h %D%/mixer.c
libpystoker_a_SOURCES += %D%/ring.h %D%/ring.c
libpystoker_a_SOURCES += %D%/names.h %D%/names.c
libpystoker_a_SOURCES += %D%/blend.h %D%/blend.c
libpystoker_a_SOURCES += %D%/plumbing.c %D%/plumbing.h
libpystoker_a_SOURCES += %D%/methods.c %D%/methods.h %D%/type_slots.c %D%/type_slots.h
