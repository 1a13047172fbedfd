/* SPDX-License-Identifier: MIT
 * libcurl, loaded when the first server is spoken to.
 *
 * It brings some thirty other libraries with it: linked at build time they would cost every command
 * 6 MB of memory and several milliseconds at its start (measured with Debian 12's), also those that
 * speak to nobody, and `exec`, which stands in front of every start of a service. */
#ifndef SHIP_LIBCURL_H
#define SHIP_LIBCURL_H

#include <curl/curl.h>
#include <stdbool.h>

#include "util/attr.h"
#include "util/err.h"

/* What we call of it; the types are those of curl.h. */
#define LIBCURL_FUNCTIONS(X) \
	X(global_init) X(getdate) X(free) \
	X(easy_init) X(easy_cleanup) X(easy_setopt) X(easy_getinfo) X(easy_strerror) X(easy_unescape) \
	X(multi_init) X(multi_cleanup) X(multi_add_handle) X(multi_remove_handle) X(multi_perform) \
	X(multi_wait) X(multi_info_read) X(multi_strerror) \
	X(slist_append) X(slist_free_all)

struct libcurl {
#define LIBCURL_MEMBER(name) __typeof__(curl_##name) *name;
	LIBCURL_FUNCTIONS(LIBCURL_MEMBER)
#undef LIBCURL_MEMBER
};

extern struct libcurl libcurl; /* NULLs before libcurl_load() */

/* Loads and initialises it, once; `tls`: https will be spoken. EXIT_FAILED when it is not there. */
int libcurl_load(bool tls, struct err *err) _must_check_;

#endif
