/* SPDX-License-Identifier: MIT
 * Asking libdebuginfod, with a limit on the time of the whole answer: its own is one on silence. */
#include "debuginfod.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "util/clock.h"

/* As in elfutils/debuginfod.h, whose package may be missing where we are built. The ABI is the same
 * since its first version (elfutils 0.178; set_progressfn: also). */
typedef struct debuginfod_client debuginfod_client;
typedef int progress_fn(debuginfod_client *client, long a, long b);

static struct {
	debuginfod_client *(*begin)(void);
	void (*end)(debuginfod_client *client);
	int (*find_debuginfo)(debuginfod_client *client, const unsigned char *build_id, int len,
			      char **ret_path);
	void (*set_progressfn)(debuginfod_client *client, progress_fn *fn);
} library;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* one request at a time */
static uint64_t deadline_ns;     /* of the request */
static bool loaded, late;        /* late: the servers were too slow once */

/* The library calls it at least every second. */
static int is_late(debuginfod_client *client _unused_, long a _unused_, long b _unused_)
{
	late = clock_mono_ns() > deadline_ns;
	return late;
}

static void load(void)
{
	void *from = dlopen("libdebuginfod.so.1", RTLD_LAZY | RTLD_LOCAL);

	loaded = true;
	if (!from)
		return;
	*(void **)&library.end = dlsym(from, "debuginfod_end");
	*(void **)&library.find_debuginfo = dlsym(from, "debuginfod_find_debuginfo");
	*(void **)&library.set_progressfn = dlsym(from, "debuginfod_set_progressfn");
	if (library.end && library.find_debuginfo && library.set_progressfn)
		*(void **)&library.begin = dlsym(from, "debuginfod_begin");
}

static uint64_t wait_ns(void)
{
	const char *text = getenv("DEBUGINFOD_TIMEOUT");
	long seconds = text ? strtol(text, NULL, 10) : 0;

	return (uint64_t)(seconds > 0 && seconds < 86400 ? seconds : DEBUGINFOD_WAIT_S) *
	       NSEC_PER_SEC;
}

static int fetch(const uint8_t *build_id, size_t len)
{
	debuginfod_client *client;
	int fd;

	if (!loaded)
		load();
	client = library.begin && !late ? library.begin() : NULL;
	if (!client)
		return late ? -ETIME : -ENOENT;
	deadline_ns = clock_mono_ns() + wait_ns();
	library.set_progressfn(client, is_late);
	fd = library.find_debuginfo(client, build_id, (int)len, NULL);
	library.end(client);
	if (fd == -ETIME)
		late = true;
	return fd >= 0 ? fd : late ? -ETIME : -ENOENT;
}

int debuginfod_fetch(const uint8_t *build_id, size_t len)
{
	const char *urls = getenv("DEBUGINFOD_URLS");
	int ret;

	if (!urls || !*urls || len == 0)
		return -ENOENT;
	pthread_mutex_lock(&lock);
	ret = fetch(build_id, len);
	pthread_mutex_unlock(&lock);
	return ret;
}
