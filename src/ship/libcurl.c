/* SPDX-License-Identifier: MIT
 * Loading libcurl. */
#include "libcurl.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

struct libcurl libcurl;

/* The ABI is the same since 2006 (libcurl 7.16); Debian's two differ in their TLS library only. */
static const char *const sonames[] = { "libcurl.so.4", "libcurl-gnutls.so.4" };

static const char *missing; /* what could not be found; NULL: all is there */
static bool with_tls;

static void *library_open(void)
{
	void *library = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(sonames) && !library; i++)
		library = dlopen(sonames[i], RTLD_LAZY | RTLD_LOCAL);
	return library;
}

static void load(void)
{
	void *library = library_open();

	missing = library ? NULL : sonames[0];
#define LIBCURL_FIND(name) \
	if (!missing && !(*(void **)&libcurl.name = dlsym(library, "curl_" #name))) \
		missing = "curl_" #name;
	LIBCURL_FUNCTIONS(LIBCURL_FIND)
#undef LIBCURL_FIND
	/* The TLS library's own start is dear, and plain http does without. A proxy may want it. */
	if (!missing)
		libcurl.global_init(with_tls || getenv("http_proxy") || getenv("all_proxy") ?
				    CURL_GLOBAL_DEFAULT : CURL_GLOBAL_NOTHING);
}

int libcurl_load(bool tls, struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	with_tls = tls;
	pthread_once(&once, load);
	if (!missing)
		return 0;
	err_set(err, -ENOENT, EXIT_FAILED, "cannot speak to a server: %s is not there", missing);
	err_hint(err, "install libcurl (Debian and Ubuntu: apt install libcurl4)");
	return -ENOENT;
}
