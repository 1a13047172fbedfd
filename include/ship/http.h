/* SPDX-License-Identifier: MIT
 * Requests to one server by libcurl: connections kept, everything a server says is capped.
 * One handle belongs to one thread; http_interrupt() may come from any. */
#ifndef SHIP_HTTP_H
#define SHIP_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/attr.h"
#include "util/err.h"

#define HTTP_BODY_MAX (64u << 10)     /* bytes of an answer kept; the rest is read and dropped */
#define HTTP_ANSWER_MAX (4u << 20)    /* bytes read at all: then the answer is garbage (EMSGSIZE) */
#define HTTP_HEAD_MAX (256u << 10)    /* bytes of an answer's header lines: likewise */
#define HTTP_HEADERS_MAX 32u          /* of our own, given in the config */
#define HTTP_URL_MAX 2048u
#define HTTP_SECRET_MAX 8192u         /* bytes of a token or password */
#define HTTP_TIMEOUT_NS 10000000000ull

struct http_config {
	const char *base;          /* "http://pyroscope:4040/prefix"; last '/'s are dropped. A user
				    * and password in it count where none are given below */
	const char *tenant;        /* X-Scope-OrgID; NULL: none */
	const char *user, *password; /* basic auth; NULL: none */
	const char *bearer;        /* token; NULL: none */
	const char *ca_file;       /* NULL: the system's */
	const char *const *headers; /* "Name: value", NULL-terminated; NULL: none */
	uint64_t timeout_ns;       /* of one request; 0: HTTP_TIMEOUT_NS */
};

struct http_request {
	const char *method;        /* "GET", "POST" */
	const char *path;          /* appended to base: "/ready?x=1" */
	const char *content_type;  /* NULL: no body */
	bool gzip;                 /* Content-Encoding: gzip */
	const void *body;
	size_t len;
};

struct http_answer {
	int status;                /* HTTP status of an answer read to its end; 0: none, see error */
	int error;                 /* errno-like class of what kept it from coming: ECONNREFUSED,
				    * ETIMEDOUT, EHOSTUNREACH (name or route), ECONNRESET (broke off),
				    * EPROTO (not HTTP, TLS), EMSGSIZE (too long), ECANCELED; 0: none */
	char text[256];            /* libcurl's words for it; "" */
	char content_type[64];     /* of the body, cut; "" */
	char body[HTTP_BODY_MAX + 1]; /* decoded (gzip, chunks), NUL-terminated, cut */
	size_t body_len;
	uint64_t latency_ns;       /* from start to last byte */
	uint64_t sent_bytes;       /* of the request's body */
	bool connected;            /* a new connection had to be made */
	bool closing;              /* the server said that it ends the connection with this answer */
	uint64_t date_ns;          /* the server's Date header, since the epoch; 0: none */
};

struct http;

/* EXIT_USAGE for a URL that is none (http and https only), EXIT_FAILED for a CA file that cannot be
 * read. Copies what it needs of the config. */
int http_open(struct http **ret, const struct http_config *c, struct err *err) _must_check_;
void http_close(struct http *h); /* NULL is fine */
/* A URL without the user and password that may be in it, for words and logs; the caller frees it. */
char *http_url_shown(const char *url);
/* The base URL as it may be shown: without user and password. */
const char *http_base(const struct http *h);
/* Fills *a, always. Redirects are not followed (301 is an answer). Our password and token are
 * blotted out where the server repeats them. */
void http_do(struct http *h, const struct http_request *r, struct http_answer *a);
/* The request under way, and all later ones, end at once with ECANCELED. Signal-safe. */
void http_interrupt(struct http *h);

/* A tenant ID the servers take: 1 to 150 of [A-Za-z0-9!_.*'()-], not "." or "..". */
bool http_tenant_valid(const char *tenant);

/* A PEM file of certificates. EXIT_FAILED when it cannot be read or holds none, or a damaged one. */
int http_ca_file_check(const char *path, struct err *err) _must_check_;

/* The first line of a file that holds a token, or "user:password"; the caller frees it. Refused
 * (EXIT_FAILED) when it cannot be read, is empty, longer than HTTP_SECRET_MAX or no text.
 * *ret_public (may be NULL): everybody can read the file. */
int http_secret_file(const char *path, char **ret, bool *ret_public, struct err *err) _must_check_;

#endif
