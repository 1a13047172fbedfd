/* SPDX-License-Identifier: MIT
 * Tokens and passwords from files, so that no command line and no process list shows them. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ship/http.h"
#include "util/xalloc.h"

/* At most `cap` bytes; -errno. */
static ssize_t read_some(int fd, char *text, size_t cap)
{
	size_t len = 0;

	while (len < cap) {
		ssize_t n = read(fd, text + len, cap - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

static const char *first_line_wrong(char *text, size_t len)
{
	size_t line = strcspn(text, "\n");

	if (line < len && text[line] == '\0')
		return "holds bytes that are no text";
	while (line > 0 && (text[line - 1] == '\r' || text[line - 1] == ' '))
		line--;
	text[line] = '\0';
	if (line == 0)
		return "has an empty first line";
	if (line > HTTP_SECRET_MAX)
		return "has a first line that is too long";
	for (size_t i = 0; i < line; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return "holds bytes that are no text";
	return NULL;
}

static int take(int fd, const char *path, char *text, size_t cap, struct err *err)
{
	ssize_t len = read_some(fd, text, cap);
	const char *wrong;

	if (len < 0)
		return err_set(err, (int)len, EXIT_FAILED, "cannot read %s: %s", path,
			       strerror((int)-len));
	text[len] = '\0';
	wrong = first_line_wrong(text, (size_t)len);
	if (wrong)
		return err_set(err, -EINVAL, EXIT_FAILED, "%s %s", path, wrong);
	return 0;
}

int http_secret_file(const char *path, char **ret, bool *ret_public, struct err *err)
{
	char text[HTTP_SECRET_MAX + 3]; /* with one byte more than it may be, "\n" and NUL */
	struct stat st = { 0 };
	int fd, r;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return err_set(err, -errno, EXIT_FAILED, "cannot open %s: %s", path, strerror(errno));
	r = take(fd, path, text, sizeof(text) - 1, err);
	if (r == 0) {
		*ret = xstrdup(text);
		if (ret_public)
			*ret_public = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
				      (st.st_mode & S_IROTH);
	}
	explicit_bzero(text, sizeof(text));
	close(fd);
	return r;
}
