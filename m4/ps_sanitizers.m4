# PS_SANITIZERS: --enable-sanitizers builds everything with ASan and UBSan.
AC_DEFUN([PS_SANITIZERS], [
AC_ARG_ENABLE([sanitizers],
	[AS_HELP_STRING([--enable-sanitizers], [build with AddressSanitizer and UBSan])],
	[], [enable_sanitizers=no])
SAN_CFLAGS=
AS_IF([test "$enable_sanitizers" != no],
	[SAN_CFLAGS="-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer"])
AC_SUBST([SAN_CFLAGS])
AM_CONDITIONAL([SANITIZERS], [test "$enable_sanitizers" != no])
])
