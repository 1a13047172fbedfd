libpystoker_a_SOURCES += include/native/demangle.h %D%/demangle.c
libpystoker_a_SOURCES += %D%/demangle_cython.c
libpystoker_a_SOURCES += %D%/demangle_rust.c
libpystoker_a_SOURCES += include/native/machinery.h %D%/machinery.c
