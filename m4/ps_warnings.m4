# PS_WARNINGS: probe each warning flag by itself; --enable-werror is for CI.
# The flags go to WARN_CFLAGS, the user's CFLAGS stay the user's.
AC_DEFUN([PS_WARNINGS], [
AC_ARG_ENABLE([werror],
	[AS_HELP_STRING([--enable-werror], [treat warnings as errors (CI)])], [], [enable_werror=no])
WARN_CFLAGS=
for flag in -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
	-Wwrite-strings -Wundef -Wformat=2 -Wvla -Wimplicit-fallthrough; do
	PS_TRY_CFLAG([$flag], [WARN_CFLAGS="$WARN_CFLAGS $flag"])
done
AS_IF([test "$enable_werror" = yes], [WARN_CFLAGS="$WARN_CFLAGS -Werror"])
AC_SUBST([WARN_CFLAGS])
])

# PS_TRY_CFLAG(FLAG, IF-ACCEPTED)
AC_DEFUN([PS_TRY_CFLAG], [
ps_saved_cflags=$CFLAGS
CFLAGS="$CFLAGS -Werror $1"
AC_MSG_CHECKING([whether $CC accepts $1])
AC_COMPILE_IFELSE([AC_LANG_PROGRAM([])],
	[AC_MSG_RESULT([yes])
	CFLAGS=$ps_saved_cflags
	$2],
	[AC_MSG_RESULT([no])
	CFLAGS=$ps_saved_cflags])
])
