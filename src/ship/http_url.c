/* SPDX-License-Identifier: MIT
 * The base URL, taken apart by hand: libcurl's own parser came with 7.62, and would say what is
 * wrong only with the first request. */
#include "http_url.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "libcurl.h"
#include "ship/http.h"
#include "util/xalloc.h"

static const char *const schemes[] = { "http://", "https://" };

static int refuse(struct err *err, const char *shown, const char *why)
{
	err_set(err, -EINVAL, EXIT_USAGE, "\"%.200s\" is no URL of a server: %s", shown, why);
	err_hint(err, "for example http://pyroscope:4040 or https://host/prefix");
	return -EINVAL;
}

/* After the scheme; NULL: none of ours. */
static const char *skip_scheme(const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
		if (!strncasecmp(text, schemes[i], strlen(schemes[i])))
			return text + strlen(schemes[i]);
	return NULL;
}

static bool port_valid(const char *port, size_t len)
{
	unsigned int n = 0;

	if (len == 0 || len > 5)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (port[i] < '0' || port[i] > '9')
			return false;
		n = n * 10 + (unsigned int)(port[i] - '0');
	}
	return n >= 1 && n <= 65535;
}

/* "host", "host:4040", "[::1]:4040" */
static const char *host_wrong(const char *host, size_t len)
{
	const char *end = host + len, *after = host;

	if (len > 0 && host[0] == '[') {
		after = memchr(host, ']', len);
		if (!after || after == host + 1)
			return "an IPv6 address ends with ]";
		after++;
	} else {
		after = memchr(host, ':', len);
		after = after ? after : end;
		if (after == host)
			return "the host is missing";
	}
	if (after < end && (*after != ':' || !port_valid(after + 1, (size_t)(end - after - 1))))
		return "the port is a number from 1 to 65535";
	return NULL;
}

static const char *text_wrong(const char *text)
{
	if (strlen(text) > HTTP_URL_MAX)
		return "it is too long";
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f || *p == '"' || *p == '\\')
			return "it holds a character that no URL has";
	if (strpbrk(text, "?#"))
		return "it must end with its path, without ? and #";
	return NULL;
}

static char *decode(const char *s, size_t len)
{
	char *plain = libcurl.easy_unescape(NULL, s, (int)len, NULL);
	char *copy = plain ? xstrdup(plain) : xstrndup(s, len);

	libcurl.free(plain);
	return copy;
}

/* "user:password" before the last @ of the host's part. */
static void take_credentials(struct http_url *u, const char *s, size_t len)
{
	const char *colon = memchr(s, ':', len);
	size_t user = colon ? (size_t)(colon - s) : len;

	u->user = decode(s, user);
	u->password = colon ? decode(colon + 1, len - user - 1) : xstrdup("");
}

/* Where the host begins: behind the last @ of the part up to the path. */
static const char *host_of(const char *authority)
{
	const char *at = memrchr(authority, '@', strcspn(authority, "/?#"));

	return at ? at + 1 : authority;
}

char *http_url_shown(const char *url)
{
	const char *scheme_end = strstr(url, "://");
	const char *authority = scheme_end ? scheme_end + 3 : url;

	return xasprintf("%.*s%s", (int)(authority - url), url, host_of(authority));
}

int http_url_parse(struct http_url *ret, const char *text, struct err *err)
{
	struct http_url u = { 0 };
	const char *authority, *end, *host, *wrong;
	char *shown;

	authority = skip_scheme(text);
	if (!authority)
		return refuse(err, strchr(text, '@') ? "…" : text, "it starts with http:// or https://");
	end = authority + strcspn(authority, "/?#");
	host = host_of(authority);
	shown = http_url_shown(text);
	wrong = text_wrong(text);
	if (!wrong)
		wrong = host_wrong(host, (size_t)(end - host));
	if (wrong) {
		refuse(err, shown, wrong);
		free(shown);
		return -EINVAL;
	}
	if (host > authority)
		take_credentials(&u, authority, (size_t)(host - 1 - authority));
	for (size_t len = strlen(shown); len > 0 && shown[len - 1] == '/'; len--)
		shown[len - 1] = '\0';
	u.base = shown;
	*ret = u;
	return 0;
}

static void wipe(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

void http_url_release(struct http_url *u)
{
	free(u->base);
	wipe(u->user);
	wipe(u->password);
	*u = (struct http_url){ 0 };
}
