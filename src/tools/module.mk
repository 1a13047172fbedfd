# The generator of completions and of the man pages' OPTIONS: not installed.
check_PROGRAMS += options-tool
options_tool_SOURCES = %D%/options.c %D%/options.h %D%/man.c %D%/bash.c %D%/zsh.c %D%/fish.c
options_tool_LDADD = $(LIBS_ALL)

# After a change to an option table: writes completions/ and the OPTIONS sections of man/ anew.
.PHONY: update-options
update-options: options-tool
	$(SHELL) $(top_srcdir)/scripts/update-options $(top_srcdir) ./options-tool
