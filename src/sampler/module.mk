libpystoker_a_SOURCES += \
	include/sampler/sampler.h %D%/internal.h %D%/sampler.c %D%/look.c %D%/look_native.c %D%/roster.c \
	include/sampler/stats.h %D%/stats.c \
	%D%/hold.h %D%/hold.c %D%/hold_ptrace.c \
	%D%/capture.h %D%/capture.c %D%/crowd.c \
	%D%/hold_registers.h %D%/hold_registers.c \
	%D%/pace.h %D%/pace.c
