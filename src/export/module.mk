libpystoker_a_SOURCES += \
	include/export/exporter.h \
	include/export/label.h \
	include/export/sink.h
