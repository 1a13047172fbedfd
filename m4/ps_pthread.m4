# PS_PTHREAD: -pthread, and a clear error where it does not work.
AC_DEFUN([PS_PTHREAD], [
ps_saved_cflags=$CFLAGS
CFLAGS="$CFLAGS -pthread"
AC_MSG_CHECKING([for -pthread])
AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <pthread.h>]], [[pthread_exit(0);]])],
	[AC_MSG_RESULT([yes])],
	[AC_MSG_RESULT([no])
	AC_MSG_ERROR([no POSIX threads])])
CFLAGS=$ps_saved_cflags
AC_SUBST([PTHREAD_CFLAGS], [-pthread])
])
