/* SPDX-License-Identifier: MIT
 * Private to cmd/: the server that push, exec and doctor are told of. */
#ifndef CMD_SERVER_H
#define CMD_SERVER_H

#include <stdint.h>

#include "cmd/option.h"
#include "ship/http.h"

#define SERVER_URL "http://pyroscope:4040"

struct server_options {
	const char *url;             /* http…, or for push "file:DIR" */
	const char *tenant, *auth_file, *token_file, *ca_file;
	struct option_list headers;  /* "Name: value" */
	uint64_t timeout_ns;
};

#define SERVER_DEFAULTS { .url = SERVER_URL, .timeout_ns = 10000000000ull }

/* Rows of a table; the includer defines AT(field) for a struct with `server` in it. */
#define SERVER_ROWS(group_, url_help) \
	{ .group = (group_), .name = "url", .letter = 'u', .type = OPT_STRING, AT(server.url), \
	  .argument = "URL", .fallback = SERVER_URL, .env = "PYROSCOPE_URL", .help = (url_help) }, \
	{ .name = "tenant", .type = OPT_STRING, AT(server.tenant), .argument = "ID", \
	  .env = "PYROSCOPE_TENANT_ID", .help = "The tenant, sent as X-Scope-OrgID" }, \
	{ .name = "auth-file", .type = OPT_FILE, AT(server.auth_file), .argument = "FILE", \
	  .help = "Basic authentication: a file with USER:PASSWORD; or the variables " \
		  "PYROSCOPE_BASIC_AUTH_USER and PYROSCOPE_BASIC_AUTH_PASSWORD" }, \
	{ .name = "token-file", .type = OPT_FILE, AT(server.token_file), .argument = "FILE", \
	  .conflicts = "auth-file", \
	  .help = "Bearer authentication: a file with the token; or PYROSCOPE_AUTH_TOKEN" }, \
	{ .name = "ca-file", .type = OPT_FILE, AT(server.ca_file), .argument = "FILE", \
	  .fallback = "the system's", .help = "Certificates (PEM) to trust for https" }, \
	{ .name = "header", .letter = 'H', .type = OPT_LIST, AT(server.headers), \
	  .argument = "NAME:VALUE", .help = "A header of every request; may be repeated" }, \
	{ .name = "timeout", .type = OPT_SECONDS, AT(server.timeout_ns), .argument = "SECONDS", \
	  .fallback = "10", .min = 0.1, .max = 600, .help = "How long one request may take" }

/* What http_open() takes; the secrets read from files and environment belong to *s. */
struct server_secrets {
	char *basic, *user, *password, *bearer; /* owned */
};

/* Checks the options and reads the secrets. Warns (say) of a file others can read. 0 or -errno with
 * EXIT_USAGE. `ret` points into `o`, the environment and `secrets`. */
int server_config(const struct server_options *o, struct http_config *ret,
		  struct server_secrets *secrets, struct err *err) _must_check_;
void server_secrets_release(struct server_secrets *s);

#endif
