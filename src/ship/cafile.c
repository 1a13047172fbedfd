/* SPDX-License-Identifier: MIT
 * A file of certificates, looked at before it is used: the TLS library reads it with the first
 * request only, and then says little (libcurl: "error setting certificate verify locations"). */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ship/http.h"
#include "util/buf.h"

enum { CA_FILE_MAX = 16 << 20 }; /* Debian's bundle has 220 kB */

static int read_all(int fd, struct buf *text)
{
	char block[16384];
	ssize_t n;

	do {
		n = read(fd, block, sizeof(block));
		if (n > 0)
			buf_add(text, block, (size_t)n);
	} while ((n > 0 && text->len <= CA_FILE_MAX) || (n < 0 && errno == EINTR));
	if (n < 0)
		return -errno;
	return text->len > CA_FILE_MAX ? -EFBIG : 0;
}

static int slurp(const char *path, struct buf *text)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), r;
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		r = -errno;
	else if (S_ISDIR(st.st_mode))
		r = -EISDIR;
	else
		r = S_ISREG(st.st_mode) ? read_all(fd, text) : -EINVAL;
	close(fd);
	return r;
}

/* RFC 7468: what follows the five dashes at the end of a line "-----BEGIN CERTIFICATE-----" is
 * base64 up to the line with END. OpenSSL's own kind is "TRUSTED CERTIFICATE". NULL: the end is not
 * there, or something else stands before it. */
static const char *certificate_end(const char *body)
{
	static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				     "0123456789+/=\r\n \t";
	const char *end = body + strspn(body, base64);

	return end > body + 64 && !strncmp(end, "-----END ", 9) ? end : NULL;
}

static const char *text_wrong(const char *text)
{
	static const char *const begins[] = {
		"-----BEGIN CERTIFICATE-----", "-----BEGIN TRUSTED CERTIFICATE-----",
		"-----BEGIN X509 CERTIFICATE-----",
	};
	size_t found = 0;

	for (size_t i = 0; i < ARRAY_SIZE(begins); i++) {
		for (const char *at = strstr(text, begins[i]); at; at = strstr(at, begins[i])) {
			at = certificate_end(at + strlen(begins[i]));
			if (!at)
				return "holds a damaged certificate";
			found++;
		}
	}
	return found ? NULL : "holds no certificate (PEM: -----BEGIN CERTIFICATE-----)";
}

int http_ca_file_check(const char *path, struct err *err)
{
	struct buf text = BUF_INIT;
	int r = slurp(path, &text);
	const char *wrong = NULL;

	if (r)
		err_set(err, r, EXIT_FAILED, "cannot read the CA file %s: %s", path, strerror(-r));
	else if (!text.len)
		wrong = "is empty";
	else if (memchr(text.data, '\0', text.len))
		wrong = "holds bytes that are no text; it must be PEM";
	else
		wrong = text_wrong(text.data);
	if (wrong)
		r = err_set(err, -EINVAL, EXIT_FAILED, "the CA file %s %s", path, wrong);
	buf_release(&text);
	return r;
}
