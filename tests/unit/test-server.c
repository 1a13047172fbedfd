/* SPDX-License-Identifier: MIT
 * The server as options, files and environment describe it. */
#include "../../src/cmd/server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "tap.h"
#include "util/attr.h"

static char dir[] = "/tmp/test-server-XXXXXX";

static const char *file(const char *name, const char *text, mode_t mode)
{
	static char paths[4][64];
	static unsigned int next;
	char *path = paths[next++ % ARRAY_SIZE(paths)];
	int fd;

	snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) || fchmod(fd, mode))
		ok(false, "%s can be written", path);
	close(fd);
	return path;
}

/* --- what is refused -------------------------------------------------------------------------- */

static const struct {
	const char *url, *tenant, *header;
	int ret;
} cases[] = {
	{ "http://pyroscope:4040", NULL, NULL, 0 },
	{ "HTTPS://p/prefix/", "team-1", "X-A: b", 0 },
	{ "http://p", NULL, "X-Empty:", 0 },
	{ "file:/var/tmp/x", NULL, NULL, -ENOTSUP },
	{ "pyroscope:4040", NULL, NULL, -EINVAL },
	{ "ftp://p", NULL, NULL, -EINVAL },
	{ "http://", NULL, NULL, -EINVAL },
	{ "http:///x", NULL, NULL, -EINVAL },
	{ "http://p/a b", NULL, NULL, -EINVAL },
	{ "http://p\r\nX: y", NULL, NULL, -EINVAL },
	{ "http://p/?q=1", NULL, NULL, -EINVAL },
	{ "http://p/#x", NULL, NULL, -EINVAL },
	{ "http://p", "a|b", NULL, -EINVAL },
	{ "http://p", "..", NULL, -EINVAL },
	{ "http://p", NULL, "no colon", -EINVAL },
	{ "http://p", NULL, ": no name", -EINVAL },
	{ "http://p", NULL, "A B: c", -EINVAL },
	{ "http://p", NULL, "A: b\r\nInjected: c", -EINVAL },
};

static void test_options(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct server_options o = SERVER_DEFAULTS;
		struct http_config config = { 0 };
		struct server_secrets secrets;
		struct err err = { 0 };
		int r;

		o.url = cases[i].url;
		o.tenant = cases[i].tenant;
		if (cases[i].header)
			o.headers = (struct option_list){ { cases[i].header }, 1 };
		r = server_config(&o, &config, &secrets, &err);
		is_int(r, cases[i].ret, cases[i].header ? cases[i].header : cases[i].url);
		ok(r ? err.status == EXIT_USAGE : config.base == o.url && config.tenant == o.tenant &&
		   config.timeout_ns == 10000000000ull &&
		   (!cases[i].header || config.headers[0] == cases[i].header),
		   "… %s", r ? "as an error of usage" : "handed on");
		server_secrets_release(&secrets);
	}
}

static void test_secrets_unsaid(void)
{
	struct server_options o = SERVER_DEFAULTS;
	struct http_config config;
	struct server_secrets secrets;
	struct err err = { 0 };

	o.headers = (struct option_list){ { "Authorization Bearer s3cret" }, 1 };
	is_int(server_config(&o, &config, &secrets, &err), -EINVAL, "a header without a colon");
	ok(!strstr(err.text, "s3cret") && !strstr(err.hint, "s3cret"), "is not repeated");
	o.url = "http://me:s3cret@p/?x";
	is_int(server_config(&o, &config, &secrets, &err), -EINVAL, "a bad URL with a password");
	ok(!strstr(err.text, "s3cret") && !strstr(err.hint, "s3cret"), "is not repeated either");
}

/* --- secrets ---------------------------------------------------------------------------------- */

static int config(struct server_options *o, struct http_config *ret, struct server_secrets *secrets)
{
	struct err err = { 0 };
	int r = server_config(o, ret, secrets, &err);

	ok(!r || err.status == EXIT_USAGE, "an error is one of usage: %s", err.text);
	return r;
}

static void test_files(void)
{
	struct server_options basic = SERVER_DEFAULTS, token = SERVER_DEFAULTS;
	struct http_config c;
	struct server_secrets s;

	setenv("PYROSCOPE_AUTH_TOKEN", "from-environment", 1);
	setenv("PYROSCOPE_BASIC_AUTH_USER", "nobody", 1);
	basic.auth_file = file("basic", "1234:pa:ss\n", 0600);
	if (ok(!config(&basic, &c, &s), "basic from a file"))
		ok(!strcmp(c.user, "1234") && !strcmp(c.password, "pa:ss") && !c.bearer,
		   "split at the first colon; the environment does not count");
	server_secrets_release(&s);
	token.token_file = file("token", "s3cret\n", 0600);
	if (ok(!config(&token, &c, &s), "token from a file"))
		ok(!strcmp(c.bearer, "s3cret") && !c.user && !c.password, "the token alone");
	server_secrets_release(&s);
	basic.auth_file = file("half", "no colon", 0600);
	is_int(config(&basic, &c, &s), -EINVAL, "no colon in the file");
	basic.auth_file = file("nouser", ":password", 0600);
	is_int(config(&basic, &c, &s), -EINVAL, "no user in the file");
	basic.auth_file = "/nonexistent/file";
	ok(config(&basic, &c, &s) < 0, "a file that is not there");
	ok(!s.basic && !s.user && !s.password && !s.bearer, "nothing is kept after an error");
}

static void test_environment(void)
{
	struct server_options o = SERVER_DEFAULTS;
	struct http_config c;
	struct server_secrets s;

	setenv("PYROSCOPE_BASIC_AUTH_USER", "1234", 1);
	setenv("PYROSCOPE_BASIC_AUTH_PASSWORD", "pw", 1);
	unsetenv("PYROSCOPE_AUTH_TOKEN");
	if (ok(!config(&o, &c, &s), "basic from the environment"))
		ok(!strcmp(c.user, "1234") && !strcmp(c.password, "pw") && !c.bearer, "both of it");
	server_secrets_release(&s);
	setenv("PYROSCOPE_BASIC_AUTH_USER", "", 1);
	setenv("PYROSCOPE_AUTH_TOKEN", "tok", 1);
	if (ok(!config(&o, &c, &s), "token from the environment"))
		ok(!strcmp(c.bearer, "tok") && !c.user, "an empty user counts as none");
	server_secrets_release(&s);
	setenv("PYROSCOPE_AUTH_TOKEN", "tok\r\nX: y", 1);
	is_int(config(&o, &c, &s), -EINVAL, "a token with a line end in it");
	unsetenv("PYROSCOPE_AUTH_TOKEN");
	if (ok(!config(&o, &c, &s), "no secret"))
		ok(!c.user && !c.password && !c.bearer, "none is made up");
	server_secrets_release(&s);
}

static void clean_up(void)
{
	static const char *const names[] = { "basic", "token", "half", "nouser" };
	char path[64];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	rmdir(dir);
}

int main(void)
{
	if (!mkdtemp(dir))
		return 99;
	test_options();
	test_secrets_unsaid();
	test_files();
	test_environment();
	clean_up();
	return tap_done();
}
