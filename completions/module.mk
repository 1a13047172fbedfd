# Made from the option tables by `make update-options`; tests/cli/options.test keeps them equal.
EXTRA_DIST += %D%/pystoker.bash %D%/pystoker.zsh %D%/pystoker.fish

install-data-hook: install-completions
.PHONY: install-completions
install-completions:
	$(MKDIR_P) '$(DESTDIR)$(bashcompdir)' '$(DESTDIR)$(zshcompdir)' '$(DESTDIR)$(fishcompdir)'
	$(INSTALL_DATA) $(top_srcdir)/completions/pystoker.bash '$(DESTDIR)$(bashcompdir)/pystoker'
	$(INSTALL_DATA) $(top_srcdir)/completions/pystoker.zsh '$(DESTDIR)$(zshcompdir)/_pystoker'
	$(INSTALL_DATA) $(top_srcdir)/completions/pystoker.fish '$(DESTDIR)$(fishcompdir)/pystoker.fish'

uninstall-hook:
	rm -f '$(DESTDIR)$(bashcompdir)/pystoker' '$(DESTDIR)$(zshcompdir)/_pystoker' \
		'$(DESTDIR)$(fishcompdir)/pystoker.fish'
