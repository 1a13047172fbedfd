/* SPDX-License-Identifier: MIT
 * TAP output for unit tests: ok(condition, "what") per check, tap_done() at the end of main(). */
#ifndef TESTS_TAP_H
#define TESTS_TAP_H

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static int tap_count, tap_failed;

__attribute__((format(printf, 2, 3)))
static inline bool ok(bool good, const char *fmt, ...)
{
	va_list ap;

	printf("%sok %d - ", good ? "" : "not ", ++tap_count);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
	tap_failed += !good;
	return good;
}

static inline bool is_str(const char *got, const char *want, const char *what)
{
	bool good = got && want ? !strcmp(got, want) : got == want;

	if (!ok(good, "%s", what))
		printf("#  got: %s\n# want: %s\n", got ? got : "(null)", want ? want : "(null)");
	return good;
}

static inline bool is_int(long long got, long long want, const char *what)
{
	if (!ok(got == want, "%s", what))
		printf("#  got: %lld\n# want: %lld\n", got, want);
	return got == want;
}

/* Says that a case cannot run here and why; what would make it run belongs in the reason. */
static inline void tap_skip(const char *what, const char *reason)
{
	printf("ok %d - %s # SKIP %s\n", ++tap_count, what, reason);
}

/* Whether processes can read each other's memory here at all: qemu-user before 9 cannot. */
static inline bool tap_can_read_memory(void)
{
	char from = 1, to = 0;
	struct iovec local = { &to, 1 }, remote = { &from, 1 };

	return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == 1 || errno != ENOSYS;
}

static inline int tap_done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed != 0;
}

#endif
