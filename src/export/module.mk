libpystoker_a_SOURCES += \
	include/export/exporter.h %D%/exporter.c \
	include/export/pprof.h %D%/pprofseries.c \
	include/export/proto.h %D%/proto.c \
	include/export/label.h %D%/label.c \
	include/export/sink.h %D%/sink.c \
	%D%/chrometrace.c \
	%D%/flamegraph.c \
	%D%/gzipsink.h %D%/gzipsink.c \
	%D%/pprof.c \
	%D%/pprofnames.h %D%/pprofnames.c \
	%D%/raw.c \
	%D%/speedscope.c \
	%D%/timeline.h %D%/timeline.c \
	%D%/title.h %D%/title.c \
	%D%/tree.h %D%/tree.c

# The flame graph carries its style and its script with it: they become bytes of the program.
EXTRA_DIST += %D%/flamegraph.css %D%/flamegraph.js
FLAMEGRAPH_PARTS = %D%/flamegraph.css.inc %D%/flamegraph.js.inc
CLEANFILES += $(FLAMEGRAPH_PARTS)
AM_CPPFLAGS += -I$(top_builddir)/src/export
EMBED = $(AM_V_GEN)$(MKDIR_P) $(@D) && \
	od -An -v -tx1 $< | sed 's/\([0-9a-f][0-9a-f]\)/0x\1,/g' > $@-t && mv $@-t $@

%D%/flamegraph.css.inc: $(srcdir)/%D%/flamegraph.css
	$(EMBED)
%D%/flamegraph.js.inc: $(srcdir)/%D%/flamegraph.js
	$(EMBED)
%D%/flamegraph.$(OBJEXT): $(FLAMEGRAPH_PARTS)
