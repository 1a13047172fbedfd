libpystoker_a_SOURCES += \
	include/elf/elf_file.h %D%/elf_file.c \
	include/elf/elf_find.h %D%/elf_find.c \
	%D%/elf_memory.c %D%/elf_memory.h \
	include/elf/mapped_file.h %D%/mapped_file.c
