# The sections OPTIONS are made from the option tables by `make update-options`.
dist_man_MANS += %D%/pystoker.1 %D%/pystoker-record.1 %D%/pystoker-dump.1 %D%/pystoker-push.1
dist_man_MANS += %D%/pystoker.1 %D%/pystoker-record.1 %D%/pystoker-dump.1
dist_man_MANS += %D%/pystoker-doctor.1
