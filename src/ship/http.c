/* SPDX-License-Identifier: MIT
 * Requests by libcurl. The multi interface is used for a single transfer at a time, because it alone
 * lets go of a transfer at once when another thread asks for it; it also keeps the connection. */
#include "ship/http.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "config.h"
#include "http_url.h"
#include "libcurl.h"
#include "util/clock.h"
#include "util/xalloc.h"

#define CONNECT_TIMEOUT_MS 5000L
#define LOW_SPEED_SECONDS 30L         /* no byte for so long: broken, however patient the config */
#define WAIT_MS 1000                  /* libcurl's own timers cut it short */
#define TENANT_MAX 150u               /* grafana/dskit tenant/tenant.go, maxTenantIDLength */
#define BLOT_MIN 4u                   /* a shorter secret would blot out half of any text */

struct http {
	CURL *easy;
	CURLM *multi;
	int wake_fd;                  /* eventfd; readable from http_interrupt() on */
	atomic_bool interrupted;
	struct http_url url;
	char *bearer;                 /* "Authorization: Bearer …" */
	struct curl_slist *headers;   /* of every request */
	uint64_t timeout_ns;
	char error[CURL_ERROR_SIZE];
	/* of the request under way */
	struct http_answer *answer;
	size_t head_bytes, body_bytes;
};

/* --- What libcurl tells while an answer comes in ------------------------- */

/* The value of header `name` in a line that is not NUL-terminated; NULL: another header. */
static const char *header_value(const char *line, size_t len, const char *name, size_t *ret_len)
{
	size_t n = strlen(name);

	if (len <= n || line[n] != ':' || strncasecmp(line, name, n) != 0)
		return NULL;
	line += n + 1;
	len -= n + 1;
	while (len > 0 && (*line == ' ' || *line == '\t')) {
		line++;
		len--;
	}
	while (len > 0 && strchr("\r\n \t", line[len - 1]))
		len--;
	*ret_len = len;
	return line;
}

/* The status line: of the answer, or of "100 Continue" or a proxy's before it. */
static void start_answer(struct http_answer *a, const char *line, size_t len)
{
	a->date_ns = 0;
	a->content_type[0] = '\0';
	a->closing = len >= 8 && !strncasecmp(line, "HTTP/1.0", 8);
}

static void take_date(struct http_answer *a, const char *value, size_t len)
{
	char text[64];
	time_t t;

	if (len >= sizeof(text))
		return;
	memcpy(text, value, len);
	text[len] = '\0';
	t = libcurl.getdate(text, NULL);
	a->date_ns = t > 0 ? (uint64_t)t * NSEC_PER_SEC : 0;
}

static void take_content_type(struct http_answer *a, const char *value, size_t len)
{
	len = len < sizeof(a->content_type) ? len : sizeof(a->content_type) - 1;
	memcpy(a->content_type, value, len);
	a->content_type[len] = '\0';
}

static size_t on_header(char *line, size_t size, size_t count, void *arg)
{
	struct http *h = arg;
	size_t len = size * count, n;
	const char *value;

	h->head_bytes += len;
	if (h->head_bytes > HTTP_HEAD_MAX)
		return 0; /* CURLE_WRITE_ERROR */
	if (len >= 5 && !strncasecmp(line, "HTTP/", 5))
		start_answer(h->answer, line, len);
	else if ((value = header_value(line, len, "Date", &n)))
		take_date(h->answer, value, n);
	else if ((value = header_value(line, len, "Content-Type", &n)))
		take_content_type(h->answer, value, n);
	else if ((value = header_value(line, len, "Connection", &n)))
		h->answer->closing = n == 5 && !strncasecmp(value, "close", 5);
	return len;
}

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
	struct http *h = arg;
	struct http_answer *a = h->answer;
	size_t len = size * count, room = HTTP_BODY_MAX - a->body_len;

	h->body_bytes += len;
	if (h->body_bytes > HTTP_ANSWER_MAX)
		return 0;
	room = len < room ? len : room;
	memcpy(a->body + a->body_len, data, room);
	a->body_len += room;
	return len;
}

/* What comes in before it is decoded: a gzip stream of nothing never reaches on_body(). */
static int on_progress(void *arg, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up)
{
	(void)arg;
	(void)total;
	(void)up_total;
	(void)up;
	return now > (curl_off_t)HTTP_ANSWER_MAX;
}

/* --- The classes of what went wrong --------------------------------------- */

static const struct {
	CURLcode code;
	int error;
} errors[] = {
	{ CURLE_COULDNT_RESOLVE_PROXY, EHOSTUNREACH },
	{ CURLE_COULDNT_RESOLVE_HOST, EHOSTUNREACH },
	{ CURLE_COULDNT_CONNECT, ECONNREFUSED },
	{ CURLE_INTERFACE_FAILED, EHOSTUNREACH },
	{ CURLE_OPERATION_TIMEDOUT, ETIMEDOUT },
	{ CURLE_GOT_NOTHING, ECONNRESET },
	{ CURLE_PARTIAL_FILE, ECONNRESET },
	{ CURLE_SEND_ERROR, ECONNRESET },
	{ CURLE_RECV_ERROR, ECONNRESET },
	{ CURLE_WRITE_ERROR, EMSGSIZE },       /* on_header(), on_body() */
	{ CURLE_ABORTED_BY_CALLBACK, EMSGSIZE }, /* on_progress() */
	{ CURLE_OUT_OF_MEMORY, EMSGSIZE },     /* one header line beyond libcurl's own limit (7.x) */
	{ CURLE_FILESIZE_EXCEEDED, EMSGSIZE },
};

static int connect_error(CURL *easy)
{
	long os = 0;

	libcurl.easy_getinfo(easy, CURLINFO_OS_ERRNO, &os);
	switch (os) {
	case ETIMEDOUT:
		return ETIMEDOUT;
	case EHOSTUNREACH:
	case ENETUNREACH:
	case ENETDOWN:
		return EHOSTUNREACH;
	default:
		return ECONNREFUSED;
	}
}

static int error_of(CURL *easy, CURLcode code)
{
	if (code == CURLE_COULDNT_CONNECT)
		return connect_error(easy);
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
		if (errors[i].code == code)
			return errors[i].error;
	return EPROTO; /* TLS, no HTTP, a broken Content-Encoding and whatever else */
}

/* --- Opening --------------------------------------------------------------- */

bool http_tenant_valid(const char *tenant)
{
	size_t len = strlen(tenant);

	if (len == 0 || len > TENANT_MAX || !strcmp(tenant, ".") || !strcmp(tenant, ".."))
		return false;
	return strspn(tenant, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
			      "!_.*'()-") == len;
}

static bool is_text(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return false;
	return true;
}

static void add_header(struct http *h, const char *line)
{
	struct curl_slist *list = libcurl.slist_append(h->headers, line);

	if (list)
		h->headers = list;
}

/* Those that make a request what it is: another value would break it. */
static const char *const own_headers[] = {
	"Content-Length", "Content-Type", "Content-Encoding", "Transfer-Encoding", "Connection", "Expect",
};

/* NULL: it may be sent. The value may be a secret and is not shown. */
static const char *header_wrong(const char *line)
{
	size_t name = strspn(line, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				   "!#$%&'*+-.^_`|~");

	if (name == 0 || line[name] != ':')
		return "is not \"Name: value\"";
	if (!is_text(line))
		return "holds a character that no header has";
	if (line[name + 1 + strspn(line + name + 1, " ")] == '\0')
		return "has no value";
	for (size_t i = 0; i < ARRAY_SIZE(own_headers); i++)
		if (strlen(own_headers[i]) == name && !strncasecmp(line, own_headers[i], name))
			return "is set by pystoker itself";
	return NULL;
}

static int add_headers(struct http *h, const char *const *lines, struct err *err)
{
	for (size_t i = 0; lines && lines[i]; i++) {
		const char *wrong = i < HTTP_HEADERS_MAX ? header_wrong(lines[i]) : "is one too many";

		if (wrong)
			return err_set(err, -EINVAL, EXIT_USAGE, "header \"%.*s\" %s",
				       (int)strcspn(lines[i], ":= "), lines[i], wrong);
		add_header(h, lines[i]);
	}
	return 0;
}

static int add_tenant(struct http *h, const char *tenant, struct err *err)
{
	char line[TENANT_MAX + 32];

	if (!tenant)
		return 0;
	if (!http_tenant_valid(tenant))
		return err_set(err, -EINVAL, EXIT_USAGE,
			       "tenant \"%.200s\" is none a server takes: 1 to %u of A-Z a-z 0-9 !_.*'()-",
			       tenant, TENANT_MAX);
	snprintf(line, sizeof(line), "X-Scope-OrgID: %s", tenant);
	add_header(h, line);
	return 0;
}

static int add_credentials(struct http *h, const struct http_config *c, struct err *err)
{
	const char *user = c->user ? c->user : h->url.user;
	const char *password = c->user ? c->password : h->url.password;

	if (c->bearer) {
		if (!*c->bearer || !is_text(c->bearer) || strlen(c->bearer) > HTTP_SECRET_MAX)
			return err_set(err, -EINVAL, EXIT_USAGE, "the bearer token is empty, too long or "
				       "holds characters that no token has");
		h->bearer = xasprintf("Authorization: Bearer %s", c->bearer);
		add_header(h, h->bearer);
		return 0;
	}
	if (!user)
		return 0;
	libcurl.easy_setopt(h->easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
	libcurl.easy_setopt(h->easy, CURLOPT_USERNAME, user);
	libcurl.easy_setopt(h->easy, CURLOPT_PASSWORD, password ? password : "");
	if (c->user) { /* kept for blot_secrets() */
		free(h->url.password);
		h->url.password = xstrdup(password ? password : "");
	}
	return 0;
}

static int set_ca_file(struct http *h, const char *path, struct err *err)
{
	int r = path ? http_ca_file_check(path, err) : 0;

	if (path && !r)
		libcurl.easy_setopt(h->easy, CURLOPT_CAINFO, path);
	return r;
}

static void set_protocols(CURL *easy)
{
#if LIBCURL_VERSION_NUM >= 0x075500
	libcurl.easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
	libcurl.easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
	libcurl.easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
#if LIBCURL_VERSION_NUM >= 0x074000
	libcurl.easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L); /* else garbage is an answer */
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
	/* A name server that hangs must not hold up http_do() beyond its timeout. */
	libcurl.easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
}

static void set_timeouts(struct http *h)
{
	long ms = (long)(h->timeout_ns / NSEC_PER_MSEC);

	ms = ms > 0 ? ms : 1;
	libcurl.easy_setopt(h->easy, CURLOPT_TIMEOUT_MS, ms);
	libcurl.easy_setopt(h->easy, CURLOPT_CONNECTTIMEOUT_MS,
			 ms < CONNECT_TIMEOUT_MS ? ms : CONNECT_TIMEOUT_MS);
	libcurl.easy_setopt(h->easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
	libcurl.easy_setopt(h->easy, CURLOPT_LOW_SPEED_TIME, LOW_SPEED_SECONDS);
}

static void set_options(struct http *h)
{
	CURL *easy = h->easy;

	set_protocols(easy);
	set_timeouts(h);
	libcurl.easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	libcurl.easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	libcurl.easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	libcurl.easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	libcurl.easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	libcurl.easy_setopt(easy, CURLOPT_USERAGENT, "pystoker/" PACKAGE_VERSION);
	libcurl.easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
	libcurl.easy_setopt(easy, CURLOPT_ERRORBUFFER, h->error);
	libcurl.easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	libcurl.easy_setopt(easy, CURLOPT_HEADERDATA, h);
	libcurl.easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	libcurl.easy_setopt(easy, CURLOPT_WRITEDATA, h);
	libcurl.easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
	libcurl.easy_setopt(easy, CURLOPT_XFERINFODATA, h);
	libcurl.easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
	add_header(h, "Expect:"); /* its 100-continue costs a round trip for each body over 1 MB */
}

static int set_up(struct http *h, const struct http_config *c, struct err *err)
{
	int r;

	h->easy = libcurl.easy_init();
	h->multi = libcurl.multi_init();
	h->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!h->easy || !h->multi || h->wake_fd < 0)
		return err_set(err, -ENOMEM, EXIT_FAILED, "cannot set up libcurl");
	h->timeout_ns = c->timeout_ns ? c->timeout_ns : HTTP_TIMEOUT_NS;
	r = http_url_parse(&h->url, c->base, err);
	if (r < 0)
		return r;
	set_options(h);
	r = add_tenant(h, c->tenant, err);
	if (r == 0)
		r = add_credentials(h, c, err);
	if (r == 0)
		r = set_ca_file(h, c->ca_file, err);
	if (r == 0)
		r = add_headers(h, c->headers, err);
	return r;
}

int http_open(struct http **ret, const struct http_config *c, struct err *err)
{
	int r = libcurl_load(!strncasecmp(c->base, "https:", 6), err);
	struct http *h;

	if (r < 0)
		return r;
	h = xcalloc(1, sizeof(*h));
	h->wake_fd = -1;
	r = set_up(h, c, err);
	if (r < 0) {
		http_close(h);
		return r;
	}
	*ret = h;
	return 0;
}

void http_close(struct http *h)
{
	if (!h)
		return;
	libcurl.easy_cleanup(h->easy);
	libcurl.multi_cleanup(h->multi);
	libcurl.slist_free_all(h->headers);
	if (h->wake_fd >= 0)
		close(h->wake_fd);
	if (h->bearer)
		explicit_bzero(h->bearer, strlen(h->bearer));
	free(h->bearer);
	http_url_release(&h->url);
	free(h);
}

const char *http_base(const struct http *h)
{
	return h->url.base;
}

/* --- A request --------------------------------------------------------------- */

/* The headers of every request and of this one; the caller frees them. */
static struct curl_slist *request_headers(const struct http *h, const struct http_request *r)
{
	struct curl_slist *list = NULL;
	char line[128];

	for (const struct curl_slist *p = h->headers; p; p = p->next)
		list = libcurl.slist_append(list, p->data);
	if (r->content_type) {
		snprintf(line, sizeof(line), "Content-Type: %s", r->content_type);
		list = libcurl.slist_append(list, line);
	}
	if (r->content_type && r->gzip)
		list = libcurl.slist_append(list, "Content-Encoding: gzip");
	return list;
}

static void set_request(struct http *h, const struct http_request *r, const struct curl_slist *headers)
{
	char *url = xasprintf("%s%s", h->url.base, r->path);
	const char *usual = r->content_type ? "POST" : "GET";

	libcurl.easy_setopt(h->easy, CURLOPT_URL, url);
	free(url);
	libcurl.easy_setopt(h->easy, CURLOPT_HTTPHEADER, headers);
	if (r->content_type) {
		libcurl.easy_setopt(h->easy, CURLOPT_POST, 1L);
		libcurl.easy_setopt(h->easy, CURLOPT_POSTFIELDS, r->body ? r->body : "");
		libcurl.easy_setopt(h->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->len);
	} else {
		libcurl.easy_setopt(h->easy, CURLOPT_HTTPGET, 1L);
	}
	libcurl.easy_setopt(h->easy, CURLOPT_CUSTOMREQUEST, strcmp(r->method, usual) ? r->method : NULL);
}

/* True: the transfer has ended, and how. */
static bool transfer_ended(struct http *h, CURLcode *ret)
{
	CURLMsg *m;
	int left;

	while ((m = libcurl.multi_info_read(h->multi, &left))) {
		if (m->msg != CURLMSG_DONE)
			continue;
		*ret = m->data.result;
		return true;
	}
	return false;
}

/* Returns 0 with a result of libcurl in *ret, or -ECANCELED. */
static int transfer(struct http *h, CURLcode *ret)
{
	struct curl_waitfd wake = { .fd = h->wake_fd, .events = CURL_WAIT_POLLIN };
	int running = 1;

	while (!atomic_load(&h->interrupted)) {
		CURLMcode m = libcurl.multi_perform(h->multi, &running);

		if (m == CURLM_OK && transfer_ended(h, ret))
			return 0;
		if (m == CURLM_OK && running > 0)
			m = libcurl.multi_wait(h->multi, &wake, 1, WAIT_MS, NULL);
		else if (m == CURLM_OK)
			m = CURLM_INTERNAL_ERROR; /* neither running nor ended */
		if (m != CURLM_OK) {
			snprintf(h->error, sizeof(h->error), "%s", libcurl.multi_strerror(m));
			*ret = CURLE_FAILED_INIT;
			return 0;
		}
	}
	return -ECANCELED;
}

static void blot(char *text, size_t len, const char *secret)
{
	size_t n = secret ? strlen(secret) : 0;
	char *p;

	if (n < BLOT_MIN)
		return;
	while ((p = memmem(text, len, secret, n))) {
		memset(p, '*', n);
		len -= (size_t)(p + n - text);
		text = p + n;
	}
}

/* A gateway's page about a refused request may show its headers; our log must not. */
static void blot_secrets(const struct http *h, struct http_answer *a)
{
	const char *bearer = h->bearer ? h->bearer + strlen("Authorization: Bearer ") : NULL;
	const char *secrets[] = { bearer, h->url.password };

	for (size_t i = 0; i < ARRAY_SIZE(secrets); i++) {
		blot(a->body, a->body_len, secrets[i]);
		blot(a->text, strlen(a->text), secrets[i]);
	}
}

static void fail(struct http_answer *a, int error, const char *text)
{
	a->status = 0;
	a->error = error;
	a->body_len = 0;
	snprintf(a->text, sizeof(a->text), "%s", text);
}

/* What libcurl counted of the transfer. */
static void take_figures(struct http *h, struct http_answer *a)
{
	curl_off_t sent = 0;
	long status = 0, connects = 0;

	libcurl.easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
	libcurl.easy_getinfo(h->easy, CURLINFO_NUM_CONNECTS, &connects);
	libcurl.easy_getinfo(h->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
	a->status = (int)status;
	a->connected = connects > 0;
	a->sent_bytes = sent > 0 ? (uint64_t)sent : 0;
}

static void judge(struct http *h, struct http_answer *a, int canceled, CURLcode code)
{
	take_figures(h, a);
	if (canceled)
		fail(a, ECANCELED, "interrupted");
	else if (code != CURLE_OK)
		fail(a, error_of(h->easy, code), h->error[0] ? h->error : libcurl.easy_strerror(code));
	else if (a->status == 0)
		fail(a, EPROTO, "the answer is no HTTP");
	a->body[a->body_len] = '\0';
}

static void reset_answer(struct http *h, struct http_answer *a)
{
	memset(a, 0, offsetof(struct http_answer, body));
	a->body[0] = '\0';
	a->body_len = 0;
	a->latency_ns = a->sent_bytes = a->date_ns = 0;
	a->connected = a->closing = false;
	h->answer = a;
	h->head_bytes = h->body_bytes = 0;
	h->error[0] = '\0';
}

void http_do(struct http *h, const struct http_request *r, struct http_answer *a)
{
	struct curl_slist *headers = request_headers(h, r);
	uint64_t start = clock_mono_ns();
	CURLcode code = CURLE_OK;
	int canceled = 0;

	reset_answer(h, a);
	set_request(h, r, headers);
	if (libcurl.multi_add_handle(h->multi, h->easy) == CURLM_OK)
		canceled = transfer(h, &code);
	else
		code = CURLE_FAILED_INIT;
	judge(h, a, canceled, code);
	libcurl.multi_remove_handle(h->multi, h->easy);
	a->latency_ns = clock_mono_ns() - start;
	blot_secrets(h, a);
	h->answer = NULL;
	libcurl.easy_setopt(h->easy, CURLOPT_HTTPHEADER, NULL);
	libcurl.slist_free_all(headers);
}

void http_interrupt(struct http *h)
{
	static const uint64_t one = 1;
	int saved = errno;

	atomic_store(&h->interrupted, true);
	if (write(h->wake_fd, &one, sizeof(one)) < 0) {
		/* its counter is full: it is readable already */
	}
	errno = saved;
}
