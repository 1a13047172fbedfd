libpystoker_a_SOURCES += include/sym/symtab.h %D%/symtab.c
