# The sections OPTIONS are made from the option tables by `make update-options`.
dist_man_MANS += %D%/pystoker.1
dist_man_MANS += %D%/pystoker-doctor.1
dist_man_MANS += %D%/pystoker-dump.1
dist_man_MANS += %D%/pystoker-exec.1
dist_man_MANS += %D%/pystoker-push.1
dist_man_MANS += %D%/pystoker-record.1
