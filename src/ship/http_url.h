/* SPDX-License-Identifier: MIT
 * The base URL, taken apart before anything is sent to it. */
#ifndef SRC_SHIP_HTTP_URL_H
#define SRC_SHIP_HTTP_URL_H

#include "util/attr.h"
#include "util/err.h"

struct http_url {
	char *base;            /* without user, password and last slashes; owned */
	char *user, *password; /* decoded, from "http://user:password@host"; NULL: none; owned */
};

/* -EINVAL with EXIT_USAGE: no http or https URL with a host. The message shows no password. */
int http_url_parse(struct http_url *ret, const char *text, struct err *err) _must_check_;
void http_url_release(struct http_url *u);

#endif
