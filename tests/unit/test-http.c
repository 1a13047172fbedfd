/* SPDX-License-Identifier: MIT
 * Requests, and everything a server can do to them. */
#include "ship/http.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "http_server.h"
#include "tap.h"
#include "util/buf.h"
#include "util/clock.h"
#include "util/gzip.h"

#define FOREVER_NS (300 * NSEC_PER_SEC)
#define OK_EMPTY "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

static struct http_answer answer;
static char url[64];

static const struct http_request get = { .method = "GET", .path = "/ready?x=1" };
static const struct http_request post = {
	.method = "POST", .path = "/push", .content_type = "application/proto", .gzip = true,
	.body = "a\0b", .len = 3,
};

static struct http *open_at(const struct http_server *s, struct http_config c)
{
	struct http *h = NULL;
	struct err err = { 0 };

	snprintf(url, sizeof(url), "http://127.0.0.1:%u", s->port);
	if (!c.base)
		c.base = url;
	if (!c.timeout_ns)
		c.timeout_ns = FOREVER_NS;
	if (http_open(&h, &c, &err) < 0) {
		printf("Bail out! %s\n", err.text);
		exit(1);
	}
	return h;
}

/* One request to a server that plays one scene. */
static void play(struct scene scene, const struct http_request *r, struct http_config c)
{
	struct http_server s;
	struct http *h;

	server_start(&s, &scene, 1);
	h = open_at(&s, c);
	http_do(h, r, &answer);
	http_close(h);
	server_stop(&s);
	server_free(&s);
}

static bool has(const struct http_server *s, size_t i, const char *text)
{
	return i < s->count && strstr(s->requests[i], text);
}

static void what_is_sent(void)
{
	static const struct scene scenes[] = {
		{ .say = "HTTP/1.1 200 OK\r\nDate: Sat, 21 Nov 2026 11:22:33 GMT\r\nContent-Type: text/plain"
			 "\r\nContent-Length: 6\r\n\r\nready\n" },
		{ .say = OK_EMPTY },
	};
	static const char *const headers[] = { "X-More: this and that", NULL };
	char base[64];
	struct http_server s;
	struct http *h;

	server_start(&s, scenes, 2);
	snprintf(base, sizeof(base), "HTTP://127.0.0.1:%u/pre/fix//", s.port);
	h = open_at(&s, (struct http_config){ .base = base, .tenant = "team-1", .headers = headers });
	http_do(h, &get, &answer);
	is_int(answer.status, 200, "a status");
	is_int(answer.error, 0, "no error");
	is_str(answer.body, "ready\n", "a body");
	is_str(answer.content_type, "text/plain", "its type");
	ok(answer.date_ns == 1795260153 * NSEC_PER_SEC, "the server's time");
	ok(answer.connected, "a new connection");
	ok(!answer.closing, "which is kept");
	ok(answer.latency_ns > 0, "it took time");
	http_do(h, &post, &answer);
	is_int(answer.status, 200, "a second request");
	ok(!answer.connected, "on the same connection");
	is_int((long long)answer.sent_bytes, 3, "bytes sent");
	ok(answer.date_ns == 0 && !answer.content_type[0] && !answer.body[0],
	   "nothing is left of the first answer");
	http_close(h);
	server_stop(&s);
	is_int((long long)s.connections, 1, "one connection");
	ok(has(&s, 0, "GET /pre/fix/ready?x=1 HTTP/1.1\r\n"), "path below the base");
	ok(has(&s, 0, "\r\nUser-Agent: pystoker/"), "our name");
	ok(has(&s, 0, "\r\nX-Scope-OrgID: team-1\r\n"), "the tenant");
	ok(has(&s, 0, "\r\nX-More: this and that\r\n"), "a header of the user's");
	ok(has(&s, 0, "\r\nAccept-Encoding: gzip\r\n"), "gzip'd answers are welcome");
	ok(!has(&s, 0, "Authorization"), "no credentials");
	ok(has(&s, 1, "POST /pre/fix/push HTTP/1.1\r\n"), "POST");
	ok(has(&s, 1, "\r\nContent-Type: application/proto\r\n"), "the type as it is");
	ok(has(&s, 1, "\r\nContent-Encoding: gzip\r\n"), "the encoding");
	ok(!has(&s, 1, "Expect"), "no Expect");
	ok(s.lens[1] > 3 && !memcmp(s.requests[1] + s.lens[1] - 3, "a\0b", 3), "the body");
	server_free(&s);
}

static void large_body_without_expect(void)
{
	static const struct scene scenes[] = { { .say = OK_EMPTY } };
	static char body[3 << 20];
	struct http_request r = post;
	struct http_server s;
	struct http *h;

	memset(body, 'x', sizeof(body));
	r.body = body;
	r.len = sizeof(body);
	server_start(&s, scenes, 1);
	h = open_at(&s, (struct http_config){ 0 });
	http_do(h, &r, &answer);
	http_close(h);
	server_stop(&s);
	is_int(answer.status, 200, "3 MiB");
	is_int((long long)answer.sent_bytes, sizeof(body), "are sent");
	ok(s.count == 1 && s.lens[0] > sizeof(body) && !has(&s, 0, "Expect"), "at once");
	server_free(&s);
}

static void answers(void)
{
	struct buf b = BUF_INIT;

	play((struct scene){ .say = "HTTP/1.1 500 Internal Server Error\r\nTransfer-Encoding: chunked\r\n\r\n"
				    "5\r\n{\"cod\r\n6\r\ne\":42}\r\n0\r\n\r\n" }, &post,
	     (struct http_config){ 0 });
	is_int(answer.status, 500, "a chunked error");
	is_str(answer.body, "{\"code\":42}", "put together");

	play((struct scene){ .say = "HTTP/1.1 301 Moved\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n" },
	     &get, (struct http_config){ 0 });
	is_int(answer.status, 301, "a redirect is an answer");

	play((struct scene){ .say = "HTTP/1.1 413 Too Large\r\nConnection: close\r\n\r\nno", .after = CLOSE },
	     &post, (struct http_config){ 0 });
	is_int(answer.status, 413, "an answer that ends with the connection");
	is_str(answer.body, "no", "is whole");
	ok(answer.closing, "and said so");

	play((struct scene){ .say = "HTTP/1.0 200 OK\r\n\r\n", .after = CLOSE }, &get,
	     (struct http_config){ 0 });
	ok(answer.status == 200 && answer.closing, "HTTP/1.0 closes");

	play((struct scene){ .say = "HTTP/1.1 100 Continue\r\nDate: Sat, 21 Nov 2026 11:22:33 GMT\r\n\r\n"
				    OK_EMPTY }, &post, (struct http_config){ 0 });
	ok(answer.status == 200 && !answer.date_ns, "100 is not the answer");

	buf_adds(&b, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 20\r\n\r\n");
	gzip_pack(&b, "", 0);
	play((struct scene){ .say = b.data, .len = b.len }, &post, (struct http_config){ 0 });
	is_int(answer.status, 200, "a gzip'd 200 of nothing");
	is_int((long long)answer.body_len, 0, "is empty");
	buf_clear(&b);
	buf_adds(&b, "HTTP/1.1 400 Bad\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n");
	gzip_pack(&b, "so it is", 8);
	play((struct scene){ .say = b.data, .len = b.len, .after = CLOSE }, &get,
	     (struct http_config){ 0 });
	is_str(answer.body, "so it is", "a gzip'd error");
	buf_release(&b);
}

static void long_answers(void)
{
	struct buf b = BUF_INIT;
	char *zeros = calloc(1, 32 << 20);

	buf_adds(&b, "HTTP/1.1 404 Not Found\r\nContent-Length: 200000\r\n\r\n");
	for (int i = 0; i < 20000; i++)
		buf_adds(&b, "0123456789");
	play((struct scene){ .say = b.data, .len = b.len }, &get, (struct http_config){ 0 });
	is_int(answer.status, 404, "200 kB of answer");
	is_int((long long)answer.body_len, HTTP_BODY_MAX, "are cut");
	is_int(answer.body[HTTP_BODY_MAX], 0, "and end");

	buf_clear(&b);
	buf_adds(&b, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n");
	gzip_pack(&b, zeros, 32 << 20);
	play((struct scene){ .say = b.data, .len = b.len, .after = CLOSE }, &get,
	     (struct http_config){ 0 });
	is_int(answer.status, 0, "a gzip bomb is no answer");
	is_int(answer.error, EMSGSIZE, "but too long");
	free(zeros);
	buf_release(&b);
}

static const struct {
	const char *what;
	struct scene scene;
	int error;
} bad[] = {
	{ "garbage", { .say = "\x16\x03\x01 this is no HTTP\r\n\r\n", .after = CLOSE }, EPROTO },
	{ "another protocol", { .say = "220 mail.example ESMTP\r\n", .after = HANG }, EPROTO },
	{ "nothing, then the end", { .after = CLOSE }, ECONNRESET },
	{ "a reset", { .after = RESET }, ECONNRESET },
	{ "half a head", { .say = "HTTP/1.1 200 OK\r\nContent-Le", .after = RESET }, ECONNRESET },
	{ "half a body", { .say = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345", .after = CLOSE },
	  ECONNRESET },
	{ "half a chunk", { .say = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n12345",
	    .after = CLOSE }, ECONNRESET },
	{ "no gzip where gzip is said", { .say = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
	    "Content-Length: 5\r\n\r\n12345" }, EPROTO },
	{ "headers without end", { .say = "HTTP/1.1 200 OK\r\n", .after = REPEAT,
	    .again = "X-Filler: 0123456789012345678901234567890123456789012345678901234567\r\n" }, EMSGSIZE },
	{ "one header without end", { .say = "HTTP/1.1 200 OK\r\nX-Filler: ", .after = REPEAT,
	    .again = "01234567890123456789012345678901234567890123456789012345678901234567890" }, EMSGSIZE },
	{ "continuing without end", { .say = "HTTP/1.1 100 Continue\r\n\r\n", .after = REPEAT }, EMSGSIZE },
	{ "a body without end", { .say = "HTTP/1.1 200 OK\r\n\r\n", .after = REPEAT,
	    .again = "01234567890123456789012345678901234567890123456789012345678901234567890" }, EMSGSIZE },
};

static void no_answers(void)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		play(bad[i].scene, &post, (struct http_config){ 0 });
		ok(answer.status == 0 && answer.error == bad[i].error, "%s: %d %s (%s)", bad[i].what,
		   answer.status, strerror(answer.error), answer.text);
		ok(answer.text[0] && !answer.body[0], "in words");
	}
}

static void nobody_there(void)
{
	static const struct scene scene = { .after = CLOSE };
	struct http_server s;
	struct http *h;

	server_start(&s, &scene, 1);
	server_stop(&s);
	h = open_at(&s, (struct http_config){ 0 });
	http_do(h, &get, &answer);
	is_int(answer.error, ECONNREFUSED, "refused");
	ok(answer.status == 0 && answer.text[0], "%s", answer.text);
	http_close(h);
	h = open_at(&s, (struct http_config){ .base = "http://no..such.host.invalid" });
	http_do(h, &get, &answer);
	is_int(answer.error, EHOSTUNREACH, "a name that is none");
	http_close(h);
	server_free(&s);
}

static void tls_to_plain(void)
{
	static const struct scene scene = { .say = OK_EMPTY, .after = CLOSE };
	struct http_server s;
	struct http *h;
	char base[64];

	server_start(&s, &scene, 1);
	snprintf(base, sizeof(base), "https://127.0.0.1:%u", s.port);
	/* the server waits for the end of a request that never comes */
	h = open_at(&s, (struct http_config){ .base = base, .timeout_ns = 300 * NSEC_PER_MSEC });
	http_do(h, &get, &answer);
	ok(answer.status == 0, "no TLS there: %s (%s)", strerror(answer.error), answer.text);
	http_close(h);
	server_stop(&s);
	server_free(&s);
}

static void hanging(void)
{
	play((struct scene){ .after = HANG }, &post, (struct http_config){ .timeout_ns = 50 * NSEC_PER_MSEC });
	is_int(answer.error, ETIMEDOUT, "a server that says nothing");
	play((struct scene){ .say = "HTTP/1.1 200 OK\r\n", .after = HANG }, &post,
	     (struct http_config){ .timeout_ns = 50 * NSEC_PER_MSEC });
	is_int(answer.error, ETIMEDOUT, "a server that stops in its head");
}

static void *asker(void *h)
{
	http_do(h, &post, &answer);
	return NULL;
}

static void interrupting(void)
{
	static const struct scene scene = { .after = HANG };
	struct http_server s;
	struct http *h;
	pthread_t thread;
	uint64_t start;

	server_start(&s, &scene, 1);
	h = open_at(&s, (struct http_config){ 0 });
	pthread_create(&thread, NULL, asker, h);
	server_await(&s, 1);
	start = clock_mono_ns();
	http_interrupt(h);
	pthread_join(thread, NULL);
	printf("# interrupted after %llu us\n",
	       (unsigned long long)((clock_mono_ns() - start) / NSEC_PER_USEC));
	ok(clock_mono_ns() - start < FOREVER_NS / 2, "an interrupt ends a request that hangs");
	is_int(answer.error, ECANCELED, "which says so");
	http_do(h, &get, &answer);
	is_int(answer.error, ECANCELED, "as does every later one");
	http_close(h);
	server_stop(&s);
	is_int((long long)s.count, 1, "which is never sent");
	server_free(&s);
}

static void connections_that_end(void)
{
	static const struct scene scenes[] = {
		{ .say = OK_EMPTY, .after = CLOSE }, { .say = OK_EMPTY },
	};
	struct http_server s;
	struct http *h;

	server_start(&s, scenes, 2);
	h = open_at(&s, (struct http_config){ 0 });
	http_do(h, &post, &answer);
	ok(answer.status == 200 && !answer.closing, "closed without a word after an answer");
	http_do(h, &post, &answer);
	is_int(answer.status, 200, "the next request goes through");
	ok(answer.connected, "by a new connection");
	http_close(h);
	server_stop(&s);
	server_free(&s);
}

static void credentials(void)
{
	static const struct scene scenes[] = {
		{ .say = "HTTP/1.1 403 No\r\nContent-Length: 39\r\n\r\nyou sent t0p-secret and t0p-secret, so?" },
		{ .say = OK_EMPTY },
	};
	struct http_server s;
	struct http *h;
	char base[64];

	server_start(&s, scenes, 2);
	h = open_at(&s, (struct http_config){ .bearer = "t0p-secret" });
	http_do(h, &get, &answer);
	is_str(answer.body, "you sent ********** and **********, so?", "a token sent back is blotted out");
	http_close(h);
	h = open_at(&s, (struct http_config){ .user = "me", .password = "my:pass" });
	http_do(h, &get, &answer);
	http_close(h);
	snprintf(base, sizeof(base), "http://you:p%%40ss@127.0.0.1:%u/x/", s.port);
	h = open_at(&s, (struct http_config){ .base = base });
	http_do(h, &get, &answer);
	snprintf(base, sizeof(base), "http://127.0.0.1:%u/x", s.port);
	is_str(http_base(h), base, "the URL without its password");
	http_close(h);
	server_stop(&s);
	ok(has(&s, 0, "\r\nAuthorization: Bearer t0p-secret\r\n"), "a bearer token");
	ok(has(&s, 1, "\r\nAuthorization: Basic bWU6bXk6cGFzcw==\r\n"), "basic auth");
	ok(has(&s, 2, "\r\nAuthorization: Basic eW91OnBAc3M=\r\n"), "basic auth from the URL");
	ok(has(&s, 2, "GET /x/ready?x=1 "), "and its path");
	server_free(&s);
}

static void proxy_of_the_environment(void)
{
	static const struct scene scene = { .say = OK_EMPTY };
	struct http_server s;
	struct http *h;
	char proxy[64];

	server_start(&s, &scene, 1);
	snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%u", s.port);
	setenv("http_proxy", proxy, 1);
	h = open_at(&s, (struct http_config){ .base = "http://pyroscope.invalid:4040" });
	http_do(h, &get, &answer);
	http_close(h);
	unsetenv("http_proxy");
	server_stop(&s);
	is_int(answer.status, 200, "a proxy");
	ok(has(&s, 0, "GET http://pyroscope.invalid:4040/ready?x=1 HTTP/1.1"), "is asked for the server");
	server_free(&s);
}

static void refuses(struct http_config c, int status, const char *what)
{
	struct http *h = NULL;
	struct err err = { 0 };
	int r;

	if (!c.base)
		c.base = "http://127.0.0.1:1";
	r = http_open(&h, &c, &err);
	ok(r < 0 && !h && err.status == status, "%s: %s", what, err.text);
	ok(!strstr(err.text, "s3cret") && !strstr(err.hint, "s3cret"), "without secrets");
	http_close(h);
}

static void configs(void)
{
	static const char *const urls[] = {
		"", "pyroscope:4040", "ftp://host", "http://", "http:///path", "http://:4040", "http://host:",
		"http://host:0", "http://host:65536", "http://host:4o4", "http://me:s3cret@", "http://ho st",
		"http://host/?query=1", "http://host/#top", "http://host/\n", "http://[::1", "http://[]:1",
		"http://[::1]x", "file:///tmp", "https//host", "me:s3cret@host",
	};
	static const char *const headers[][2] = {
		{ "X-Key" }, { ": s3cret" }, { "X Key: s3cret" }, { "X-Key: s3cret\r\nY: s3cret" }, { "X-Key:" },
		{ "X-Key:   " }, { "content-length: 5" }, { "Transfer-Encoding: chunked" },
	};
	static const char *many[HTTP_HEADERS_MAX + 2];
	char *longest = malloc(HTTP_URL_MAX + 2);

	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
		refuses((struct http_config){ .base = urls[i] }, EXIT_USAGE, "a URL that is none");
	memset(longest, 'a', HTTP_URL_MAX + 1);
	longest[HTTP_URL_MAX + 1] = '\0';
	memcpy(longest, "http://", 7);
	refuses((struct http_config){ .base = longest }, EXIT_USAGE, "a long URL");
	free(longest);
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		refuses((struct http_config){ .headers = headers[i] }, EXIT_USAGE, "a header that is none");
	for (size_t i = 0; i <= HTTP_HEADERS_MAX; i++)
		many[i] = "X-Key: 1";
	refuses((struct http_config){ .headers = many }, EXIT_USAGE, "too many headers");
	refuses((struct http_config){ .tenant = "a|b" }, EXIT_USAGE, "a tenant");
	refuses((struct http_config){ .bearer = "s3cret\r\nX: y" }, EXIT_USAGE, "a token");
	refuses((struct http_config){ .bearer = "" }, EXIT_USAGE, "an empty token");
	refuses((struct http_config){ .ca_file = "/nonexistent/ca.pem" }, EXIT_FAILED, "a CA file");
	refuses((struct http_config){ .ca_file = "/" }, EXIT_FAILED, "a folder");
	refuses((struct http_config){ .ca_file = "/dev/null" }, EXIT_FAILED, "no file, and empty");
	refuses((struct http_config){ .ca_file = "/proc/self/maps" }, EXIT_FAILED, "no certificate");
}

static void tenants(void)
{
	char text[152];

	memset(text, 'a', 151);
	text[151] = '\0';
	ok(!http_tenant_valid(text), "151 bytes");
	ok(http_tenant_valid(text + 1), "150 bytes");
	ok(http_tenant_valid("A-z_0.9!*'()"), "all there are");
	ok(!http_tenant_valid("") && !http_tenant_valid(".") && !http_tenant_valid("..") &&
	   !http_tenant_valid("a/b") && !http_tenant_valid("\xc3\xa9"), "none of these");
}

static void secret(const char *path, const char *text, size_t len, mode_t mode, const char *want)
{
	FILE *f = fopen(path, "w");
	struct err err = { 0 };
	bool open_to_all = mode != 0644;
	char *got = NULL;
	int r;

	fwrite(text, 1, len, f);
	fclose(f);
	chmod(path, mode);
	r = http_secret_file(path, &got, &open_to_all, &err);
	if (want) {
		is_str(got, want, "a secret");
		ok(open_to_all == (mode == 0644), "readable to all: %d", open_to_all);
	} else {
		ok(r < 0 && !got && err.status == EXIT_FAILED, "refused: %s", err.text);
	}
	free(got);
}

static void secrets(void)
{
	char path[] = "/tmp/test-http-XXXXXX", *got = NULL, *longest;
	static char text[HTTP_SECRET_MAX + 3];
	struct err err = { 0 };

	close(mkstemp(path));
	secret(path, "user:pass word \r\nmore\n", 22, 0600, "user:pass word");
	secret(path, "token", 5, 0644, "token");
	secret(path, "", 0, 0600, NULL);
	secret(path, "\ntoken\n", 7, 0600, NULL);
	secret(path, "  \n", 3, 0600, NULL);
	secret(path, "tok\0en\n", 7, 0600, NULL);
	secret(path, "tok\ten\n", 7, 0600, NULL);
	memset(text, 'x', sizeof(text));
	secret(path, text, HTTP_SECRET_MAX + 1, 0600, NULL);
	secret(path, text, HTTP_SECRET_MAX + 3, 0600, NULL);
	text[HTTP_SECRET_MAX] = '\0';
	longest = strdup(text);
	text[HTTP_SECRET_MAX] = '\n';
	secret(path, text, sizeof(text), 0600, longest);
	free(longest);
	unlink(path);
	ok(http_secret_file(path, &got, NULL, &err) == -ENOENT && !got, "%s", err.text);
	ok(http_secret_file("/", &got, NULL, &err) == -EISDIR && !got, "%s", err.text);
}

int main(void)
{
	static const char *const proxies[] = {
		"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY",
	};

	for (size_t i = 0; i < sizeof(proxies) / sizeof(proxies[0]); i++)
		unsetenv(proxies[i]);
	what_is_sent();
	large_body_without_expect();
	answers();
	long_answers();
	no_answers();
	nobody_there();
	tls_to_plain();
	hanging();
	interrupting();
	connections_that_end();
	credentials();
	proxy_of_the_environment();
	configs();
	tenants();
	secrets();
	return tap_done();
}
