libpystoker_a_SOURCES += include/native/demangle.h %D%/demangle.c
libpystoker_a_SOURCES += %D%/demangle_cython.c
libpystoker_a_SOURCES += %D%/demangle_rust.c
libpystoker_a_SOURCES += include/native/machinery.h %D%/machinery.c
libpystoker_a_SOURCES += %D%/debugfile.c %D%/debugfile.h
libpystoker_a_SOURCES += include/native/symbols.h %D%/symbols.c
libpystoker_a_SOURCES += %D%/xz.c %D%/xz.h
