libpystoker_a_SOURCES += include/native/demangle.h %D%/demangle.c
libpystoker_a_SOURCES += %D%/demangle_cxx.c
libpystoker_a_SOURCES += %D%/demangle_cython.c
libpystoker_a_SOURCES += %D%/demangle_rust.c
libpystoker_a_SOURCES += include/native/machinery.h %D%/machinery.c
libpystoker_a_SOURCES += %D%/debugfile.c %D%/debugfile.h
libpystoker_a_SOURCES += include/native/symbols.h %D%/symbols.c
libpystoker_a_SOURCES += %D%/xz.c %D%/xz.h
libpystoker_a_SOURCES += %D%/image.c %D%/image.h
libpystoker_a_SOURCES += include/native/modules.h %D%/modules.c
libpystoker_a_SOURCES += include/native/evalscan.h %D%/evalscan.c
libpystoker_a_SOURCES += include/native/space.h %D%/space.c
libpystoker_a_SOURCES += include/native/perf_map.h %D%/perf_map.c
# A line for each noun.
libpystoker_a_SOURCES += include/native/rules.h %D%/rules.c %D%/rule_compile.h %D%/rule_compile.c
libpystoker_a_SOURCES += %D%/cfi.h %D%/cfi.c %D%/cfi_check.h %D%/cfi_check.c
libpystoker_a_SOURCES += include/native/unwind.h %D%/unwind.c
libpystoker_a_SOURCES += %D%/code.h %D%/code.c include/native/stack.h %D%/stack.c \
	%D%/search.h %D%/search.c
libpystoker_a_SOURCES += include/native/lines.h %D%/lines.c %D%/lines_check.h %D%/lines_check.c \
	%D%/lines_internal.h %D%/lines_memory.c %D%/lines_pieces.c %D%/lines_entry.c \
	%D%/lines_units.c %D%/lines_calls.c
libpystoker_a_SOURCES += %D%/mapping.h %D%/mapping.c %D%/cursor.h
libpystoker_a_SOURCES += %D%/debuginfod.h %D%/debuginfod.c
libpystoker_a_SOURCES += include/native/kallsyms.h %D%/kallsyms.c
libpystoker_a_SOURCES += include/native/merge.h %D%/merge.c
libpystoker_a_SOURCES += %D%/cfi_section.h %D%/cfi_section.c
libpystoker_a_SOURCES += include/native/engine_libunwind.h %D%/engine_libunwind.c \
	%D%/eh_tables.h %D%/eh_tables.c
libpystoker_a_SOURCES += %D%/altfile.h %D%/altfile.c
libpystoker_a_SOURCES += include/native/functions.h %D%/functions.c
libpystoker_a_SOURCES += %D%/insn.h %D%/insn.c %D%/prologue.h %D%/prologue.c
