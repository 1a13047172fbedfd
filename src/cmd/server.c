/* SPDX-License-Identifier: MIT
 * The server as the options and the environment describe it, checked, with its secrets. */
#include "server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "util/xalloc.h"

/* Space, control characters and what follows a path would end up in the middle of an address. */
static bool url_is_plain(const char *url)
{
	for (const char *c = url; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f || *c == '?' || *c == '#')
			return false;
	return true;
}

static int check_url(const char *url, struct err *err)
{
	size_t scheme = !strncasecmp(url, "http://", 7) ? 7 : !strncasecmp(url, "https://", 8) ? 8 : 0;

	if (!strncmp(url, "file:", 5))
		return err_set(err, -ENOTSUP, EXIT_USAGE, "'%.200s' is a folder, not a server", url);
	if (scheme && url[scheme] && url[scheme] != '/' && url_is_plain(url))
		return 0;
	/* What stands before an @ may be a password. */
	err_set(err, 0, EXIT_USAGE, "'%.200s' is not the address of a server",
		strchr(url, '@') ? "…" : url);
	err_hint(err, "--url %s, with a path where the server has one", SERVER_URL);
	return -EINVAL;
}

static int check_tenant(const char *tenant, struct err *err)
{
	if (!tenant || http_tenant_valid(tenant))
		return 0;
	err_set(err, 0, EXIT_USAGE, "--tenant: '%.200s' is not a tenant ID that servers take", tenant);
	err_hint(err, "1 to 150 letters, digits and ! - _ . * ' ( )");
	return -EINVAL;
}

/* "Name: value"; the name is a token (RFC 9110, 5.6.2), so that nothing else can be slipped in. */
static bool header_valid(const char *header)
{
	static const char token[] = "!#$%&'*+-.^_`|~0123456789"
				    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t name = strspn(header, token);

	if (!name || header[name] != ':')
		return false;
	for (const char *c = header; *c; c++)
		if (((unsigned char)*c < ' ' && *c != '\t') || *c == 0x7f)
			return false;
	return true;
}

/* A header may hold a secret: only its name is shown. */
static int check_headers(const struct option_list *headers, struct err *err)
{
	for (size_t i = 0; i < headers->count; i++) {
		if (header_valid(headers->items[i]))
			continue;
		err_set(err, 0, EXIT_USAGE, "--header: number %zu is not a header", i + 1);
		err_hint(err, "--header 'Name: value', on one line");
		return -EINVAL;
	}
	return 0;
}

static int check_ca_file(const char *path, struct err *err)
{
	int r = path ? http_ca_file_check(path, err) : 0;

	if (r) {
		if (err)
			err->status = EXIT_USAGE;
		err_prefix(err, "--ca-file");
	}
	return r;
}

static int read_secret(const char *option, const char *path, char **ret, struct err *err)
{
	bool is_public = false;
	int r = http_secret_file(path, ret, &is_public, err);

	if (r) {
		if (err)
			err->status = EXIT_USAGE;
		err_prefix(err, "%s", option);
		return r;
	}
	if (is_public)
		say("warning: everybody can read %.200s; chmod 600 would change that", path);
	return 0;
}

static int split_basic(struct server_secrets *s, const char *path, struct err *err)
{
	char *colon = strchr(s->basic, ':');

	if (!colon || colon == s->basic)
		return err_set(err, -EINVAL, EXIT_USAGE,
			       "--auth-file: %.200s does not hold USER:PASSWORD", path);
	s->user = xstrndup(s->basic, (size_t)(colon - s->basic));
	s->password = xstrdup(colon + 1);
	return 0;
}

/* A variable that is set and not empty, copied; NULL otherwise. */
static char *secret_env(const char *name)
{
	const char *text = getenv(name);

	return text && *text ? xstrdup(text) : NULL;
}

static bool has_controls(const char *text)
{
	for (; text && *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return true;
	return false;
}

static int secrets_env(struct server_secrets *s, struct err *err)
{
	s->user = secret_env("PYROSCOPE_BASIC_AUTH_USER");
	if (s->user) {
		s->password = secret_env("PYROSCOPE_BASIC_AUTH_PASSWORD");
		if (!s->password)
			s->password = xstrdup("");
	} else {
		s->bearer = secret_env("PYROSCOPE_AUTH_TOKEN");
	}
	if (has_controls(s->user) || has_controls(s->password) || has_controls(s->bearer))
		return err_set(err, -EINVAL, EXIT_USAGE, "the variable with the %s has control "
			       "characters in it", s->user ? "user or password" : "token");
	return 0;
}

/* What an option names counts alone; the environment only without any. */
static int secrets_read(struct server_secrets *s, const struct server_options *o, struct err *err)
{
	if (o->auth_file) {
		int r = read_secret("--auth-file", o->auth_file, &s->basic, err);

		return r ? r : split_basic(s, o->auth_file, err);
	}
	if (o->token_file)
		return read_secret("--token-file", o->token_file, &s->bearer, err);
	return secrets_env(s, err);
}

int server_config(const struct server_options *o, struct http_config *ret,
		  struct server_secrets *secrets, struct err *err)
{
	int r = check_url(o->url, err);

	*secrets = (struct server_secrets){ 0 };
	if (!r)
		r = check_tenant(o->tenant, err);
	if (!r)
		r = check_headers(&o->headers, err);
	if (!r)
		r = check_ca_file(o->ca_file, err);
	if (!r)
		r = secrets_read(secrets, o, err);
	if (r) {
		server_secrets_release(secrets);
		return r;
	}
	*ret = (struct http_config){
		.base = o->url, .tenant = o->tenant, .user = secrets->user,
		.password = secrets->password, .bearer = secrets->bearer, .ca_file = o->ca_file,
		.headers = o->headers.items, .timeout_ns = o->timeout_ns,
	};
	return 0;
}

static void forget(char **secret)
{
	if (*secret)
		explicit_bzero(*secret, strlen(*secret));
	free(*secret);
	*secret = NULL;
}

void server_secrets_release(struct server_secrets *s)
{
	forget(&s->basic);
	forget(&s->user);
	forget(&s->password);
	forget(&s->bearer);
}
